"""Equal fidelity: interpolation by hand and by numpy, no extrapolation, and intervals that hold the truth."""

import itertools

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from pdloss.statistics import at_level, common_range, percentile_interval, resample_shares
from pdloss.statistics.matching import isotonic

SHARES = resample_shares(3, 50)


def columns(*means: float) -> np.ndarray:
    """One row for each run, three images about its mean."""
    return np.array([[mean - 1.0, mean, mean + 1.0] for mean in means])


def test_between_two_runs_the_score_is_linear() -> None:
    (point,) = at_level([(columns(30.0, 28.0), columns(0.4, 0.2))], 28.5, SHARES)
    assert point.value == pytest.approx(0.25)
    assert (point.between, point.share) == ((1, 0), pytest.approx(0.25))


def test_the_runs_need_no_order_and_agree_with_numpy() -> None:
    levels, scores = [29.0, 27.0, 31.0, 28.0], [0.3, 0.1, 0.7, 0.15]
    for level in np.linspace(27.0, 31.0, 17).tolist():
        (point,) = at_level([(columns(*levels), columns(*scores))], level, SHARES)
        order = np.argsort(levels)
        assert point.value == pytest.approx(np.interp(level, np.array(levels)[order], np.array(scores)[order]))


def test_at_a_run_itself_the_score_is_that_runs() -> None:
    for level, score in ((28.0, 0.2), (29.0, 0.3), (30.0, 0.9)):
        (point,) = at_level([(columns(30.0, 28.0, 29.0), columns(0.9, 0.2, 0.3))], level, SHARES)
        assert point.value == pytest.approx(score)


@pytest.mark.parametrize("level", [27.9, 30.1])
def test_nothing_is_extrapolated(level: float) -> None:
    with pytest.raises(ValueError, match=r"from 28 to 30"):
        at_level([(columns(30.0, 28.0), columns(0.4, 0.2))], level, SHARES)


def test_one_run_is_a_sweep_at_its_own_level_alone() -> None:
    (point,) = at_level([(columns(29.0), columns(0.3))], 29.0, SHARES)
    assert (point.value, point.between) == (pytest.approx(0.3), (0, 0))
    with pytest.raises(ValueError, match="from 29 to 29"):
        at_level([(columns(29.0), columns(0.3))], 29.01, SHARES)


def test_two_runs_of_one_level_meet_half_way() -> None:
    (point,) = at_level([(columns(29.0, 29.0), columns(0.2, 0.4))], 29.0, SHARES)
    assert point.value == pytest.approx(0.3)


def test_harder_images_move_the_level_with_the_runs() -> None:
    """Where an image is as hard for every run, the place between the runs is the same in every resample."""
    stream = np.random.default_rng(0)
    hard = stream.normal(0, 5, 24)
    first = np.array([[30.0], [28.0]]) + hard
    second = np.array([[0.4], [0.2]]) + np.zeros(24)
    (point,) = at_level([(first, second)], float(first.mean()), resample_shares(24, 200))
    assert np.allclose(point.replicates, 0.3)


def near_levels(
    stream: np.random.Generator, hard: np.ndarray, levels: list[float], offset: float
) -> tuple[np.ndarray, np.ndarray]:
    """A sweep about known means: what images are hard is common to its points, and scores follow the levels."""
    means, n = np.array(levels)[:, None], len(hard)
    first = means + hard + stream.normal(0, 0.15, (len(levels), n))
    second = 0.2 + offset + 0.1 * (means - 28) - 0.01 * hard + stream.normal(0, 0.02, (len(levels), n))
    return first, second


def test_no_replicate_is_extrapolated_however_near_two_first_scores_are() -> None:
    stream = np.random.default_rng(1)
    shares = resample_shares(24, 2000)
    first, second = near_levels(stream, stream.normal(0, 3, 24), [28.0, 28.001, 28.002], 0.0)
    means = first.mean(axis=1)
    (point,) = at_level([(first, second)], float(np.median(means)), shares)
    of_points = shares @ second.T
    assert (point.replicates <= of_points.max(axis=1) + 1e-12).all()
    assert (point.replicates >= of_points.min(axis=1) - 1e-12).all()


def test_isotonic_is_scipys_and_points_of_one_value_share_both_means() -> None:
    stream = np.random.default_rng(2)
    x, y = stream.normal(0, 1, (6, 50)), stream.normal(0, 1, (6, 50))
    rising, shared = isotonic(x, y)
    for column in range(50):
        expected = isotonic_regression(x[:, column])
        assert np.allclose(rising[:, column], expected.x)
        for start, end in itertools.pairwise(expected.blocks):
            assert np.allclose(shared[start:end, column], y[start:end, column].mean())


def test_the_common_range_is_what_every_sweep_reaches() -> None:
    low, high = common_range([columns(30.0, 27.0, 28.0), columns(29.0, 26.0)])
    assert (low, high) == (pytest.approx(27.0), pytest.approx(29.0))
    apart = common_range([columns(30.0, 29.0), columns(28.0, 27.0)])
    assert apart.low > apart.high


@pytest.mark.parametrize("gap", [0.4, 0.01, 0.0])
def test_the_interval_of_a_matched_difference_holds_the_truth(gap: float) -> None:
    """300 data sets of two sweeps with known lines, at equal level the second 0.02 better: 95 % or more, +- 3 %.

    The middle points lie 0.4 dB apart, or so near that every other resample swaps them.
    """
    stream = np.random.default_rng(4)
    n, levels = 24, [27.6, 28.0, 28.0 + gap, 28.4 + gap]
    shares = resample_shares(n, 1000)
    covered, lengths = [], []
    for _ in range(300):
        hard = stream.normal(0, 3, n)
        sweeps = [near_levels(stream, hard, levels, offset) for offset in (0.0, -0.02)]
        middle = float(np.mean([first.mean() for first, _ in sweeps]))
        one, other = at_level(sweeps, middle, shares)
        bounds = percentile_interval(other.replicates - one.replicates, n)
        covered.append(bounds[0] <= -0.02 <= bounds[1])
        lengths.append(float(np.ptp(bounds)))
    assert np.mean(covered) >= 0.92
    assert np.mean(covered) <= 0.98 or gap < 0.4  # near points share their means: a little too wide, never too narrow
    assert max(lengths) < 3 * np.median(lengths)
