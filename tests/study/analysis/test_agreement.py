"""Whether metrics prefer what people prefer: by counting, against SciPy, and at the ends of the scale."""

import numpy as np
import pytest

from pdloss.errors import UserError
from pdloss.statistics import resample_shares
from pdloss.study.analysis.agreement import Agreement, People, agreements
from pdloss.study.analysis.tally import Tally, tally
from pdloss.study.simulation.raters import Population, simulate
from tests.study.made_up import METHODS, SCORES, choices, made_up_design, metric_scores

DESIGN = made_up_design(images=12)
COUNTED = tally([a for a in simulate(DESIGN, Population(SCORES)) if a.kind == "pair"], METHODS)
TARGETS = {image.id: image.target for image in DESIGN.images}
PEOPLE = People(np.array([-0.6, -0.1, 0.2, 0.5]), np.tile([[-0.6], [-0.1], [0.2], [0.5]], (1, 500)), 12)


def found(values: dict, counted: Tally = COUNTED, targets: dict = TARGETS, people: People | None = PEOPLE, **options):
    shares = resample_shares(len(counted.images), 500, 0)
    return agreements(counted, people, metric_scores(values, **options), targets, shares)


def one(values: dict, **options) -> Agreement:
    return found(values, **options)[0]


def test_answers_and_images_are_counted_one_by_one() -> None:
    values = np.random.default_rng(1).integers(0, 4, (4, 12)).astype(float)  # with ties
    agreement = one(dict(zip(METHODS, values, strict=True)))
    right = total = 0.0
    for image, counts in enumerate(COUNTED.by_image):
        at = int(TARGETS[COUNTED.images[image]][:4])
        for (a, b), (wins, losses) in zip(COUNTED.pairs, counts[:2].T, strict=True):
            better = values[a, at] - values[b, at]
            right += wins if better > 0 else losses if better < 0 else (wins + losses) / 2
            total += wins + losses
    assert agreement.answers == pytest.approx(right / total)
    assert agreement.answers_low < agreement.answers < agreement.answers_high


def test_a_metric_that_follows_the_majorities_agrees_on_every_image() -> None:
    counted = tally(choices("x 1 a>b\ny 1 a>b\nz 1 b>a\nx 2 b>a\ny 2 a>b\nz 2 b>a\nx 3 a>b\ny 3 b>a"))
    agreement = one({"a": [5, 1, 7], "b": [1, 5, 1]}, counted=counted, targets={}, people=None, names=["1", "2", "3"])
    assert (agreement.cells, agreement.counted) == (1.0, 2)  # the third image is even
    assert agreement.answers == pytest.approx(5 / 8)
    assert agreement.tau is None


@pytest.mark.parametrize(("better", "sign"), [("higher", 1), ("lower", -1)])
def test_the_better_end_of_a_metric_is_known(better: str, sign: int) -> None:
    right = one({name: np.full(12, sign * score) for name, score in SCORES.items()}, better=better)
    wrong = one({name: np.full(12, -sign * score) for name, score in SCORES.items()}, better=better)
    assert (right.tau, wrong.tau) == (1.0, -1.0)
    assert right.answers + wrong.answers == pytest.approx(1)
    assert right.answers > 0.55
    assert (right.tau_low, right.tau_high) == (1.0, 1.0)


def test_a_metric_that_is_always_the_same_says_nothing() -> None:
    agreement = one({name: np.ones(12) for name in METHODS})
    assert (agreement.answers, agreement.cells, agreement.tau, agreement.tau_low) == (0.5, 0.5, None, None)


def test_metrics_of_whole_sets_are_ranked_alone() -> None:
    metric, fid = found({name: np.ones(12) for name in METHODS}, sets={n: -s for n, s in SCORES.items()})
    assert metric.metric == "psnr"
    assert (fid.metric, fid.label, fid.tau, fid.answers, fid.counted) == ("fid", "FID", 1.0, None, 0)


def test_one_image_has_no_interval() -> None:
    agreement = one(
        {"a": [2], "b": [1]}, counted=tally(choices("x 1 a>b\ny 1 a>b")), targets={}, names=["1.png"], people=None
    )
    assert (agreement.answers, agreement.answers_low, agreement.answers_high) == (1.0, None, None)


def test_what_lacks_scores_is_named() -> None:
    values = {name: np.ones(12) for name in METHODS}
    with pytest.raises(UserError, match="there are no scores of l1; give all methods theirs"):
        found({name: row for name, row in values.items() if name != "l1"})
    with pytest.raises(UserError, match="the scores of none, on kodak, lack 0011, which raters saw"):
        found({name: row[:-1] for name, row in values.items()})


def test_scores_of_equal_names_in_different_folders_are_told_apart() -> None:
    counted = tally(choices("x 1 a>b\ny 2 b>a"))
    names, targets = ["one/1.png", "two/1.png"], {"1": "one/1.jpg", "2": "two/1.jpg"}
    agreement = one({"a": [5, 1], "b": [1, 5]}, counted=counted, targets=targets, people=None, names=names)
    assert agreement.answers == 1
