"""Made-up raters answer as they should: shares of the model, vices, and whatever else was asked for."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy import stats

from pdloss.errors import SpecError
from pdloss.records import read_record
from pdloss.study.planning.schedules import Checks
from pdloss.study.records import StudyDesign
from pdloss.study.simulation.raters import CHEATERS, Population, simulate
from tests.study.made_up import made_up_design
from tests.study.studies_for_tests import SMALL, make_study

TWO = {"a": 0.6, "b": -0.2}
PAIR = made_up_design(methods=TWO, images=20, raters=40, each=20, checks=Checks(2, 0, 0), ties=True)
EQUAL = Population(dict.fromkeys(TWO, 0.0))


def shares(population: Population, raters: int = 100) -> dict[str, float]:
    """Returns the shares of answers for a, for the left side, and for neither, of 20 answers a rater."""
    answers = [one for one in simulate(PAIR, population, raters=raters) if one.kind == "pair"]
    chosen = [{"left": one.left, "right": one.right, "tie": None}[one.choice] for one in answers]
    sides = [one.choice for one in answers]
    return {what: known.count(what) / len(known) for what, known in (("a", chosen), ("left", sides), ("tie", sides))}


def near(share: float, answers: int = 2000) -> float:
    return pytest.approx(share, abs=4 * math.sqrt(0.25 / answers))


def test_preferences_are_those_of_the_model() -> None:
    assert shares(Population(TWO))["a"] == near(1 / (1 + math.exp(-0.8)))
    assert shares(Population(TWO, model="thurstone"))["a"] == near(stats.norm.cdf(0.8))
    assert shares(Population(TWO))["left"] == near(0.5)


def test_noise_is_chance() -> None:
    assert shares(Population({"a": 50.0, "b": -50.0}, noise=1.0))["a"] == near(0.5)
    assert shares(Population({"a": 50.0, "b": -50.0}, noise=0.2))["a"] == near(0.9)


def test_a_liking_for_the_left() -> None:
    assert shares(replace(EQUAL, side_bias=math.log(3)))["left"] == near(0.75)


def test_ties_are_davidsons_where_the_design_lets_them_be() -> None:
    assert shares(replace(EQUAL, tie=1.0))["tie"] == near(1 / 3)
    assert shares(replace(EQUAL, tie=1.0, model="thurstone"))["tie"] == near(1 / 3)
    forced = msgspec.structs.replace(PAIR, ties=False)
    assert {one.choice for one in simulate(forced, replace(EQUAL, tie=1.0))} == {"left", "right"}


@pytest.mark.parametrize(("spread", "group"), [("rater_spread", "rater"), ("image_spread", "image")])
def test_spreads_make_groups_differ(spread: str, group: str) -> None:
    def between(population: Population) -> float:
        chosen: dict[str, list[bool]] = {}
        for one in simulate(PAIR, population, raters=100, seed=2):
            if one.kind == "pair":
                chosen.setdefault(getattr(one, group), []).append((one.choice == "left") == (one.left == "a"))
        return float(np.var([np.mean(values) for values in chosen.values()]) * np.mean([*map(len, chosen.values())]))

    assert between(EQUAL) == pytest.approx(0.25, rel=0.6)  # that of single answers: 20 groups at least
    assert between(replace(EQUAL, **{spread: 1.0})) > 0.6


def test_everybody_answers_their_schedule_in_order() -> None:
    answers = simulate(PAIR, EQUAL, raters=41)
    for number, name in ((0, "rater-001"), (39, "rater-040"), (40, "rater-041")):
        own = [one for one in answers if one.rater == name]
        assert [one.question for one in own] == PAIR.schedules[number % 40]
        assert [one.position for one in own] == list(range(22))
    assert len(simulate(PAIR, EQUAL)) == 40 * 22


def test_an_active_design_asks_every_rater_enough(tmp_path: Path) -> None:
    path = make_study(tmp_path, replace(SMALL, kind="active", raters=12))
    design = read_record(path / "design.json", StudyDesign)
    answers = simulate(design, Population({"method0": 0.0, "method1": 0.2, "method2": 2.0}), seed=1)
    pairs = [one for one in answers if one.kind == "pair"]
    assert len(pairs) == 12 * design.questions_per_rater
    assert len({(one.rater, one.question) for one in answers}) == len(answers)
    # The two that are close are compared more often than either is with the one far off.
    asked = Counter(frozenset((one.left, one.right)) for one in pairs)
    assert max(asked, key=lambda pair: asked[pair]) == {"method0", "method1"}


def test_the_seed_decides() -> None:
    assert simulate(PAIR, EQUAL, seed=5) == simulate(PAIR, EQUAL, seed=5)
    assert simulate(PAIR, EQUAL, seed=5) != simulate(PAIR, EQUAL, seed=6)


def test_cheaters_come_last_and_cheat_in_turns() -> None:
    answers = simulate(PAIR, Population({"a": 9.0, "b": -9.0}), raters=1, cheaters=3, seed=1)
    names = [*dict.fromkeys(one.rater for one in answers)]
    assert names == ["rater-001", *(f"{vice}-{n:03d}" for n, vice in enumerate(CHEATERS, start=1))]
    own = {name: [one for one in answers if one.rater == name] for name in names}
    assert all(one.choice == one.expected for one in own["rater-001"] if one.expected)
    assert np.median([one.seconds for one in own["clicker-001"]]) < 0.5
    one_side = [one.choice for one in own["one-sided-002"]]
    assert max(map(one_side.count, ("left", "right"))) >= 20
    best = [(one.choice == "left") == (one.left == "a") for one in own["guesser-003"] if one.kind == "pair"]
    assert 4 <= sum(best) <= 16


@pytest.mark.parametrize(
    ("population", "message"),
    [
        (Population({"a": 0.0, "c": 0.0}), "there is no method 'c' in the design"),
        (Population({"a": 0.0}), "the preferences lack b; give each method a score"),
        (replace(EQUAL, noise=1.5), "between 0 and 1, got 1.5"),
        (replace(EQUAL, rater_spread=-1), "not negative"),
        (replace(EQUAL, side_bias=float("nan")), "finite"),
    ],
)
def test_a_population_that_cannot_be_is_refused(population: Population, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        simulate(PAIR, population)


@pytest.mark.parametrize("model", ["bradley-terry", "thurstone"])
def test_any_liking_however_strong_is_only_certain(model: str) -> None:
    answers = simulate(PAIR, replace(EQUAL, model=model, side_bias=1e12), raters=2)
    assert {one.choice for one in answers if one.kind == "pair"} == {"left"}


def test_a_design_that_asks_nobody_is_refused() -> None:
    with pytest.raises(SpecError, match="no schedules"):
        simulate(msgspec.structs.replace(PAIR, schedules=[]), EQUAL)
