"""Runs against the first of them: means, paired differences, their intervals and tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from pdloss.comparison.scored import Scored, comparable
from pdloss.comparison.verdicts import Verdict, corrected_interval, corrected_p, pairs, rule, too_few, verdict
from pdloss.records import Metric, Record, SetScore, equal_pairs
from pdloss.statistics import (
    RESAMPLES,
    bootstrap_p_value,
    percentile_interval,
    resample_shares,
    resampled_means,
    signed_ranks,
)


class Mean(Record, frozen=True, kw_only=True):
    """The mean of one metric over the images, with its 95 % interval: none for a single image."""

    metric: str
    name: str
    """Of the run, or of the sweep."""
    value: float
    low: float | None
    high: float | None
    equal: int = 0
    """How many images equal their targets, each of which counts `pdloss.records.CEILING` where that is infinite."""
    without_equal: float | None = None
    """The mean of the others; None where no image is equal, or all are."""


class Difference(Record, frozen=True, kw_only=True):
    """The mean of one metric minus another run's on the same images; of a score best near zero, of its distance."""

    metric: str
    name: str
    against: str
    value: float
    low: float | None
    high: float | None
    """The interval is corrected for all comparisons: `pdloss.comparison.verdicts.corrected_interval`."""
    wilcoxon: float | None
    """Two-sided p-value of the signed-rank test, where there is one value per image."""
    bootstrap: float | None
    """Two-sided p-value of the bootstrap; none for a single image."""
    wilcoxon_corrected: float | None = None
    bootstrap_corrected: float | None = None
    verdict: Verdict
    """Whether `name` is better than `against`, by the rule of `pdloss.comparison.verdicts.verdict`."""
    equal: int = 0
    """How many images equal their targets in one of the two, and count `pdloss.records.CEILING` there."""
    without_equal: float | None = None
    """The difference over the others; None where no image is equal, or all are."""

    @property
    def clear(self) -> bool:
        """Whether the difference counts."""
        return self.verdict in ("better", "worse")


class Comparison(Record, frozen=True, kw_only=True):
    """Runs compared on one set: what ``pdloss compare --json`` writes."""

    set: str
    images: int
    degradation: str
    runs: list[str]
    """The first is what the others are compared with."""
    metrics: dict[str, Metric]
    means: list[Mean]
    differences: list[Difference]
    set_metrics: dict[str, Metric]
    set_scores: dict[str, dict[str, SetScore]]
    """Scores of all images together, by metric and run; they are one number each, and nothing can be tested."""
    seed: int
    resamples: int
    protocol: str
    notes: list[str]


def compare(
    paths: Sequence[Path], set_name: str | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> Comparison:
    """Returns who is better than the first run, per metric, by how much, with interval and p-values.

    Args:
        paths: Run folders or score files, at least two; the first is the one to compare with.
        set_name: Which scored set; by default, of those in common, the one written last.
        seed: Of the resamples.
        resamples: How many.

    Raises:
        RunError: If the runs cannot be compared; the message names the difference.
    """
    found = comparable(paths, set_name)
    first, *others = found.runs
    shares = resample_shares(len(found.images), resamples, seed)
    comparisons = pairs(len(found.runs)) * len(found.metrics)
    means, differences = [], []
    for key, metric in found.metrics.items():
        columns = {run.name: run.values(key, found.images) for run in found.runs}
        means += [mean(key, name, column, metric, shares) for name, column in columns.items()]
        for run in others:
            names, values = (key, run.name, first.name), (columns[run.name], columns[first.name])
            differences.append(difference(names, *values, metric, shares, comparisons))
    set_metrics = {key: metric for run in found.runs for key, metric in run.scores.set_metrics.items()}
    return Comparison(
        set=first.scores.set,
        images=len(found.images),
        degradation=found.degradation,
        runs=[run.name for run in found.runs],
        metrics=found.metrics,
        means=means,
        differences=differences,
        set_metrics=set_metrics,
        set_scores={key: _set_scores(key, found.runs) for key in set_metrics},
        seed=seed,
        resamples=resamples,
        protocol=rule(comparisons, resamples, seed, ranked=True),
        notes=[*found.notes, *too_few(len(found.images), comparisons)],
    )


def gaps(values: Float[np.ndarray, " n"], reference: Float[np.ndarray, " n"], better: str) -> Float[np.ndarray, " n"]:
    """Returns the differences per image; of scores that are best near zero, of their distances from it.

    Example:
        >>> gaps(np.array([-1.0, 2.0]), np.array([3.0, 3.0]), "zero")
        array([-2., -1.])
    """
    difference: Float[np.ndarray, " n"] = values - reference
    distance: Float[np.ndarray, " n"] = np.abs(values) - np.abs(reference)
    return distance if better == "zero" else difference


def mean(
    key: str, name: str, values: Float[np.ndarray, " n"], metric: Metric, shares: Float[np.ndarray, "b n"]
) -> Mean:
    """Returns the mean over images with its interval, and how many of them equal their targets."""
    low, high = interval(resampled_means(values, shares), len(values))
    equal, without = without_equal(values, np.array(equal_pairs(metric, values.tolist()), dtype=bool))
    return Mean(
        metric=key, name=name, value=float(values.mean()), low=low, high=high, equal=equal, without_equal=without
    )


def without_equal(values: Float[np.ndarray, " n"], equal: Bool[np.ndarray, " n"]) -> tuple[int, float | None]:
    """Returns how many values stand for equal images, and the mean of the others; None if it is no other, or none.

    Example:
        >>> without_equal(np.array([30.0, 120.0, 31.0]), np.array([False, True, False]))
        (1, 30.5)
    """
    count = int(equal.sum())
    return count, float(values[~equal].mean()) if 0 < count < len(values) else None


def interval(replicates: Float[np.ndarray, " b"], n: int) -> tuple[float, float] | tuple[None, None]:
    """Returns the 95 % interval of a mean; none for a single image."""
    if n < 2:
        return None, None
    low, high = percentile_interval(replicates, n).tolist()
    return low, high


def difference(
    names: tuple[str, str, str],
    values: Float[np.ndarray, " n"],
    reference: Float[np.ndarray, " n"],
    metric: Metric,
    shares: Float[np.ndarray, "b n"],
    comparisons: int,
) -> Difference:
    """Returns how far one run's scores lie from another's, how sure that is, and whether it counts.

    Args:
        names: Key of the metric, and names of the run and of the one that it is compared with.
        values: The run's scores.
        reference: The other's, of the same images.
        metric: How the scores are to be read.
        shares: Resamples of the images.
        comparisons: How many differences are looked at, in all.
    """
    gap = gaps(values, reference, metric.better)
    value, n, ranks = float(gap.mean()), len(gap), signed_ranks(gap)
    replicates = resampled_means(gap, shares)
    bounds = corrected_interval(replicates, n, comparisons)
    bootstrap = bootstrap_p_value(replicates, n) if n > 1 else None
    equal = [a or b for a, b in zip(*(equal_pairs(metric, v.tolist()) for v in (values, reference)), strict=True)]
    count, without = without_equal(gap, np.array(equal, dtype=bool))
    return Difference(
        metric=names[0],
        name=names[1],
        against=names[2],
        value=value,
        low=bounds[0],
        high=bounds[1],
        wilcoxon=ranks.p_value,
        bootstrap=bootstrap,
        wilcoxon_corrected=corrected_p(ranks.p_value, comparisons),
        bootstrap_corrected=None if bootstrap is None else corrected_p(bootstrap, comparisons),
        verdict=verdict(value, bounds, metric.better, n, comparisons, ranks),
        equal=count,
        without_equal=without,
    )


def _set_scores(key: str, runs: Sequence[Scored]) -> dict[str, SetScore]:
    return {run.name: run.scores.sets[key] for run in runs if key in run.scores.sets}
