"""The whole analysis: intervals that hold the truth, who is left out, and what is said where nothing can be."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pdloss.errors import UserError
from pdloss.records import read_record, write_record
from pdloss.statistics import choice_models
from pdloss.study.analysis.result import Analysis, analyse, scale
from pdloss.study.analysis.tally import tally
from pdloss.study.planning.schedules import Checks
from pdloss.study.records import Answer, Rules
from pdloss.study.simulation.raters import Population, simulate
from tests.study.made_up import METHODS, SCORES, choices, made_up_design, metric_scores

DESIGN = made_up_design()
HONEST = simulate(DESIGN, Population(SCORES), seed=1)
TARGETS = {image.id: image.target for image in DESIGN.images}

RING = "x 1 a>b\ny 2 b>c\nz 3 c>a\nx 4 b>a\ny 5 c>b\nz 6 a>c"


def quick(answers: list[Answer], rules: Rules | None = None, **options) -> Analysis:
    return analyse(answers, rules, **{"resamples": 200} | options)


def true_scores(spread: float) -> np.ndarray:
    """Returns the scores that endless raters and images would have, whose own scores spread about the methods'."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    scores = np.array([SCORES[name] for name in METHODS])
    # Raters and images each add a spread to either method.
    differences = np.subtract.outer(scores, scores)[..., None] + math.sqrt(4) * spread * nodes
    wins = 1 / (1 + np.exp(-differences)) @ (weights / weights.sum())
    return choice_models.bradley_terry(wins).scores


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_intervals_hold_the_true_score_in_95_of_100_studies(spread: float) -> None:
    """With raters and images who differ, and with ones who do not."""
    truth, inside = true_scores(spread), []
    population = Population(SCORES, rater_spread=spread, image_spread=spread)
    design = made_up_design(checks=Checks(0, 0, 0))
    for seed in range(200):
        found = scale(tally(simulate(design, population, seed=seed), METHODS), "Bradley-Terry").scores
        inside.append([one.low <= true <= one.high for one, true in zip(found, truth, strict=True)])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_spread_widens_the_errors_that_allow_for_it() -> None:
    alike = scale(tally([one for one in HONEST if one.kind == "pair"], METHODS), "Bradley-Terry").scores
    differing = simulate(DESIGN, Population(SCORES, rater_spread=1.5, image_spread=1.5), seed=1)
    spread = scale(tally([one for one in differing if one.kind == "pair"], METHODS), "Bradley-Terry").scores
    assert np.mean([one.error for one in spread]) == pytest.approx(np.mean([one.error for one in alike]), rel=0.1)
    assert np.mean([one.error_clustered for one in spread]) > 1.8 * np.mean([one.error_clustered for one in alike])


def test_the_scores_are_those_of_bradley_terry() -> None:
    found = quick(HONEST, methods=METHODS)
    wins = tally([one for one in HONEST if one.kind == "pair"], METHODS).wins()
    assert [one.score for one in found.scales[0].scores] == pytest.approx(choice_models.bradley_terry(wins).scores)
    assert [one.score for one in found.scales[1].scores] == pytest.approx(choice_models.thurstone(wins).scores)
    assert [scale.model for scale in found.scales] == ["Bradley-Terry", "Thurstone"]


def test_only_comparisons_by_raters_who_count_are_used() -> None:
    mixed = simulate(DESIGN, Population(SCORES), cheaters=6, seed=1)
    found, honest = quick(mixed, DESIGN.rules, methods=METHODS), quick(HONEST, DESIGN.rules, methods=METHODS)
    failed = {check.rater for check in found.raters if check.failed}
    assert {"clicker-001", "one-sided-002", "clicker-004", "one-sided-005"} <= failed
    assert not any(name.startswith("rater") for name in failed)
    guessers = sum(one.kind == "pair" and one.rater not in failed for one in mixed[len(HONEST) :])
    assert found.used == honest.used + guessers == 25 * 20 + guessers
    assert (found.answers, found.images, found.rules_fixed) == (31 * 25, 20, True)
    assert honest.preferences == quick(mixed[: len(HONEST)], methods=METHODS).preferences


def test_it_can_be_written_and_read_again(tmp_path: Path) -> None:
    found = quick(HONEST, scores=metric_scores({name: np.arange(20.0) for name in METHODS}), targets=TARGETS)
    write_record(tmp_path / "analysis.json", found)
    assert read_record(tmp_path / "analysis.json", Analysis) == found
    assert [one.metric for one in found.agreement] == ["psnr"]


def test_a_seed_makes_the_resamples_and_nothing_else() -> None:
    one, same, other = (quick(HONEST, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert [p.share for p in one.preferences] == [p.share for p in other.preferences]
    assert [p.error_raters for p in one.preferences] != [p.error_raters for p in other.preferences]
    assert one.scales == other.scales


def test_ties_are_scored_by_davidson_and_thurstone_is_not_tested_on_halves() -> None:
    design = made_up_design(ties=True)
    found = quick(simulate(design, Population(dict.fromkeys(SCORES, 0.0), tie=1.0)))
    first, second = found.scales
    assert first.model == "Davidson"
    assert first.tie == pytest.approx(1.0, abs=4 * (3 / math.sqrt(500)))
    assert first.p_value is not None
    assert (second.model, second.tie, second.p_value) == ("Thurstone", None, None)


def test_nothing_but_ties_is_no_preference() -> None:
    found = quick(choices("x 1 a=b\ny 2 a=b"))
    assert [one.score for one in found.scales[0].scores] == [0, 0]
    assert found.preferences[0].verdict == "unclear"


def test_methods_that_no_answers_join_have_no_scores() -> None:
    found = quick(choices("x 1 a>b\ny 1 b>a\nx 2 c>d\ny 2 d>c"), prior=0.5)
    assert found.scales == []
    assert found.notes[0].startswith("There are no scores: no answers compare a and b with c and d, not even through")
    assert len(found.preferences) == 2


def test_a_method_that_never_loses_has_a_score_with_a_prior_alone() -> None:
    answers = choices(RING.replace("b>a", "a>b").replace("c>a", "a>c"))
    bare = quick(answers)
    assert bare.scales == []
    assert "a never lost to b and c" in bare.notes[0]
    found = quick(answers, prior=0.5)
    assert max(found.scales[0].scores, key=lambda one: one.score).method == "a"
    assert (found.prior, found.preferences) == (0.5, bare.preferences)


def test_a_method_nobody_was_asked_about_is_noticed() -> None:
    found = quick(choices(RING), methods=["a", "b", "c", "new"])
    assert "compare a, b and c with new" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("x 1 a>b\nx 2 b>a", "All answers count as if of different raters: there is one rater only."),
        ("x 1 a>b\ny 1 b>a", "All answers count as if of different images: there is one image only."),
        ("x 1 a>b\ny 2 b>a", "2 raters are too few to say how much raters differ: take the intervals as rough."),
        (RING, "There were no catch trials: nothing shows that raters looked."),
    ],
)
def test_the_reader_is_told_what_is_weak(text: str, note: str) -> None:
    assert note in quick(choices(text)).notes


def test_many_failures_cast_doubt_on_the_questions() -> None:
    fast = [msgspec.structs.replace(one, rater="hasty", seconds=0.1) for one in choices("x 1 a>b")]
    found = quick([*choices("x 1 a>b\ny 1 b>a"), *fast])
    assert found.notes == quick(choices("x 1 a>b\ny 1 b>a")).notes
    found = quick([*choices("x 1 a>b\nx 2 b>a"), *fast])
    assert any(note.startswith("More than a third of all raters failed") for note in found.notes)


def test_who_leaves_nothing_to_analyse_is_told_so() -> None:
    with pytest.raises(UserError, match=r"all raters \(1\) failed the rules, such as x: median time 0.1 s"):
        quick(choices("x 1 a>b", seconds=0.1))
    with pytest.raises(UserError, match="no rater compared two different methods"):
        quick([])
    with pytest.raises(UserError, match="no rater compared two different methods"):
        quick(choices("x 1 a>a", kind="identical"))
