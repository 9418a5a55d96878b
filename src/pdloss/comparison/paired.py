"""Runs against the first of them: means, paired differences, their intervals and tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from jaxtyping import Float

from pdloss.comparison.scored import Scored, comparable
from pdloss.records import Metric, Record, SetScore
from pdloss.statistics import (
    RESAMPLES,
    bootstrap_p_value,
    holm,
    percentile_interval,
    resample_shares,
    resampled_means,
    signed_ranks,
)

SIGNIFICANT = 0.05
"""Below it, a corrected p-value counts."""

Verdict = Literal["better", "worse", "unclear", "identical"]


class Mean(Record, frozen=True, kw_only=True):
    """The mean of one metric over the images, with its 95 % interval: none for a single image."""

    metric: str
    name: str
    """Of the run, or of the sweep."""
    value: float
    low: float | None
    high: float | None


class Difference(Record, frozen=True, kw_only=True):
    """The mean of one metric minus another run's on the same images; of a score best near zero, of its distance."""

    metric: str
    name: str
    against: str
    value: float
    low: float | None
    high: float | None
    wilcoxon: float | None
    """Two-sided p-value of the signed-rank test, where there is one value per image."""
    bootstrap: float | None
    """Two-sided p-value that belongs to the interval; none for a single image."""
    wilcoxon_holm: float | None = None
    bootstrap_holm: float | None = None
    verdict: Verdict
    """Whether `name` is better than `against`; unclear unless every corrected p-value is below 0.05, and all agree."""


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
    means, differences = [], []
    for key, metric in found.metrics.items():
        columns = {run.name: run.values(key, found.images) for run in found.runs}
        means += [mean(key, name, column, shares) for name, column in columns.items()]
        for run in others:
            gap = gaps(columns[run.name], columns[first.name], metric.better)
            differences.append(_paired((key, run.name, first.name), gap, metric.better, shares))
    set_metrics = {key: metric for run in found.runs for key, metric in run.scores.set_metrics.items()}
    return Comparison(
        set=first.scores.set,
        images=len(found.images),
        degradation=first.scores.degradation,
        runs=[run.name for run in found.runs],
        metrics=found.metrics,
        means=means,
        differences=corrected(differences),
        set_metrics=set_metrics,
        set_scores={key: _set_scores(key, found.runs) for key in set_metrics},
        seed=seed,
        resamples=resamples,
        protocol=protocol(len(differences), resamples, seed, "Wilcoxon's signed ranks and bootstrap"),
        notes=[*found.notes, *too_few(len(found.images), len(differences))],
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


def mean(metric: str, name: str, values: Float[np.ndarray, " n"], shares: Float[np.ndarray, "b n"]) -> Mean:
    """Returns the mean over images with its interval."""
    low, high = interval(resampled_means(values, shares), len(values))
    return Mean(metric=metric, name=name, value=float(values.mean()), low=low, high=high)


def interval(replicates: Float[np.ndarray, " b"], n: int) -> tuple[float, float] | tuple[None, None]:
    """Returns the 95 % interval; none for a single image."""
    if n < 2:
        return None, None
    low, high = percentile_interval(replicates, n).tolist()
    return low, high


def leaning(value: float, better: str) -> Verdict:
    """Returns what a difference would mean if it were more than chance.

    Example:
        >>> leaning(-0.1, "lower"), leaning(-0.1, "higher"), leaning(0.0, "lower")
        ('better', 'worse', 'unclear')
    """
    if value == 0:
        return "unclear"
    return "better" if (value > 0) == (better == "higher") else "worse"


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Returns the differences with Holm's p-values, over all of them; what does not reach 0.05 becomes unclear."""
    result = list(differences)
    for test in ("wilcoxon", "bootstrap"):
        tested = [i for i, difference in enumerate(result) if getattr(difference, test) is not None]
        adjusted = holm(np.array([getattr(result[i], test) for i in tested], dtype=float))
        for i, p_value in zip(tested, adjusted.tolist(), strict=True):
            result[i] = msgspec.structs.replace(result[i], **{f"{test}_holm": p_value})
    return [d if _stands(d) else msgspec.structs.replace(d, verdict="unclear") for d in result]


def protocol(comparisons: int, resamples: int, seed: int, tests: str) -> str:
    """Returns in words how intervals and p-values were made, and what they do not speak of."""
    return (
        f"95 % intervals: bootstrap over images (expanded percentiles, {resamples:,} resamples, the same ones for all, "
        f"numpy's PCG64, seed {seed}), not corrected; p: {tests}, two-sided, with Holm's correction over "
        f"{comparisons} comparison{'s' if comparisons != 1 else ''}; better or worse: every corrected p below "
        f"{SIGNIFICANT}. All this speaks of other images, not of training again with another seed"
    )


def too_few(n: int, comparisons: int) -> list[str]:
    """Returns a sentence if so few images cannot reach significance, whatever they show: p is at least 2^(1 - n).

    Example:
        >>> too_few(6, 1), too_few(5, 1)
        ([], ['5 images are too few to call a difference; with 1 comparison it takes at least 6.'])
    """
    needed = next(k for k in range(1, 64) if 2.0 ** (1 - k) * comparisons < SIGNIFICANT)
    if n >= needed:
        return []
    return [
        f"{n} image{'s are' if n != 1 else ' is'} too few to call a difference; with {comparisons} comparison"
        f"{'s' if comparisons != 1 else ''} it takes at least {needed}."
    ]


def _paired(
    names: tuple[str, str, str], gap: Float[np.ndarray, " n"], better: str, shares: Float[np.ndarray, "b n"]
) -> Difference:
    value, n, ranks = float(gap.mean()), len(gap), signed_ranks(gap)
    replicates = resampled_means(gap, shares)
    low, high = interval(replicates, n)
    # A mean that few images pull one way while most lean the other is no gain and no loss.
    pulled = (ranks.statistic - ranks.used * (ranks.used + 1) / 4) * value < 0
    return Difference(
        metric=names[0],
        name=names[1],
        against=names[2],
        value=value,
        low=low,
        high=high,
        wilcoxon=ranks.p_value,
        bootstrap=bootstrap_p_value(replicates, n) if n > 1 else None,
        verdict="identical" if ranks.used == 0 else "unclear" if pulled else leaning(value, better),
    )


def _stands(difference: Difference) -> bool:
    tested = [p for p in (difference.wilcoxon_holm, difference.bootstrap_holm) if p is not None]
    return difference.verdict == "identical" or (bool(tested) and max(tested) < SIGNIFICANT)


def _set_scores(key: str, runs: Sequence[Scored]) -> dict[str, SetScore]:
    return {run.name: run.scores.sets[key] for run in runs if key in run.scores.sets}
