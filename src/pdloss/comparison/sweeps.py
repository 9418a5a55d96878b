"""Losses compared along their weights at equal fidelity: a perceptual gain is worth what it costs in distortion."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pdloss.comparison.grouping import Group, grouped, read_trained
from pdloss.comparison.paired import Difference, Mean, corrected, gaps, interval, leaning, protocol, too_few
from pdloss.comparison.scored import Comparable, comparable
from pdloss.errors import RunError, SpecError
from pdloss.records import Metric, Record
from pdloss.specs import suggestion
from pdloss.statistics import (
    RESAMPLES,
    Matched,
    at_level,
    bootstrap_p_value,
    common_range,
    hypervolume,
    lower_is_better,
    resample_shares,
    undominated,
)


class Sweep(Record, frozen=True, kw_only=True):
    """Runs that differ in nothing but the weights of their loss's terms."""

    name: str
    terms: list[str]
    """Of the loss, without their weights."""
    runs: list[str]
    """In the order of the score matched on."""
    weights: list[list[float]]
    """For each run, of each term."""
    levels: list[float]
    """The mean of that score, for each run."""
    between: tuple[str, str]
    """The neighbours of the level compared at."""
    hypervolumes: dict[str, float]
    """By metric: the area of the plane of both scores that the sweep's runs beat, as far as the reference point."""


class MatchedComparison(Record, frozen=True, kw_only=True):
    """Sweeps compared at one level of a score: what ``pdloss compare --matched --json`` writes."""

    set: str
    images: int
    degradation: str
    matched: str
    """The metric that is equal."""
    level: float
    low: float
    """Lowest level that every sweep reaches without extrapolation."""
    high: float
    sweeps: list[Sweep]
    """The first is what the others are compared with."""
    metrics: dict[str, Metric]
    means: list[Mean]
    differences: list[Difference]
    references: dict[str, tuple[float, float]]
    """By metric: the worst mean of the matched score and of this one among all runs, where hypervolumes begin."""
    frontiers: dict[str, list[str]]
    """By metric: the runs of all sweeps that no other one beats in it and the matched score."""
    seed: int
    resamples: int
    protocol: str
    notes: list[str]


def compare_matched(
    paths: Sequence[Path],
    matched: str = "psnr",
    set_name: str | None = None,
    *,
    level: float | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> MatchedComparison:
    """Returns every metric of each loss's weight sweep where its mean `matched` score is the same.

    Runs whose configurations differ in nothing but the weights of the loss form a sweep. Where there are several, a
    single run whose terms all of them share, such as plain ``l1``, is the end of each at weight zero.

    Args:
        paths: Run folders, or score files with the ``config.json`` of the run beside them.
        matched: The metric to make equal.
        set_name: Which scored set; by default, of those in common, the one written last.
        level: Its value; by default the middle of what every sweep reaches.
        seed: Of the resamples.
        resamples: How many.

    Raises:
        RunError: If the runs cannot be compared, form fewer than two sweeps, or a sweep does not reach the level.
        SpecError: If `matched` is no metric that all runs have, or their only one.
    """
    found = comparable(paths, set_name)
    if matched not in found.metrics:
        raise SpecError(f"the runs have no metric {matched!r} in common{suggestion(matched, found.metrics)}")
    if len(found.metrics) == 1:
        raise SpecError(f"the runs have no metric but {matched!r} in common; evaluate them with those to compare")
    groups = grouped([read_trained(run) for run in found.runs], matched, found.images)
    firsts = {group.name: group.values(matched, found.images) for group in groups}
    level = _chosen_level(level, firsts, found.metrics[matched].label)
    shares = resample_shares(len(found.images), resamples, seed)
    points = {
        key: at_level([(firsts[group.name], group.values(key, found.images)) for group in groups], level, shares)
        for key in found.metrics
        if key != matched
    }
    means, differences = _compared(groups, points, found)
    planes = {key: _Plane(found, matched, key) for key in points}
    neighbours = [point.between for point in next(iter(points.values()))]
    low, high = common_range(list(firsts.values()))
    few = too_few(len(found.images), len(differences))
    return MatchedComparison(
        set=found.runs[0].scores.set,
        images=len(found.images),
        degradation=found.runs[0].scores.degradation,
        matched=matched,
        level=level,
        low=low,
        high=high,
        sweeps=[
            _sweep(group, firsts[group.name].mean(axis=1), between, planes)
            for group, between in zip(groups, neighbours, strict=True)
        ],
        metrics=found.metrics,
        means=means,
        differences=corrected(differences),
        references={key: plane.reference for key, plane in planes.items()},
        frontiers={key: plane.frontier() for key, plane in planes.items()},
        seed=seed,
        resamples=resamples,
        protocol=protocol(len(differences), resamples, seed, "bootstrap"),
        notes=[*found.notes, *_turning_back(groups, found.metrics[matched].label), *few],
    )


def _chosen_level(level: float | None, firsts: Mapping[str, Float[np.ndarray, "_ n"]], label: str) -> float:
    low, high = common_range(list(firsts.values()))
    reached = ((name, values.mean(axis=1)) for name, values in firsts.items())
    each = "; ".join(f"{name} from {means.min():.6g} to {means.max():.6g}" for name, means in reached)
    if low > high:
        raise RunError(f"no {label} is reached by every sweep, and nothing is extrapolated: {each}")
    if level is not None and not low <= level <= high:
        raise RunError(
            f"{label} {level:g} is not reached by every sweep, and nothing is extrapolated; choose from {low:.6g} to "
            f"{high:.6g} ({each})"
        )
    return (low + high) / 2 if level is None else level


def _compared(
    groups: Sequence[Group], points: dict[str, list[Matched]], found: Comparable
) -> tuple[list[Mean], list[Difference]]:
    n = len(found.images)
    means, differences = [], []
    for key, (first, *others) in points.items():
        for group, point in zip(groups, (first, *others), strict=True):
            low, high = interval(point.replicates, n)
            means.append(Mean(metric=key, name=group.name, value=point.value, low=low, high=high))
        better = found.metrics[key].better
        for group, point in zip(groups[1:], others, strict=True):
            value = float(gaps(np.array([point.value]), np.array([first.value]), better)[0])
            replicates = gaps(point.replicates, first.replicates, better)
            low, high = interval(replicates, n)
            differences.append(
                Difference(
                    metric=key,
                    name=group.name,
                    against=groups[0].name,
                    value=value,
                    low=low,
                    high=high,
                    wilcoxon=None,
                    bootstrap=bootstrap_p_value(replicates, n) if n > 1 else None,
                    verdict=leaning(value, better),
                )
            )
    return means, differences


class _Plane:
    """The runs' means in the plane of the matched score and another one."""

    def __init__(self, found: Comparable, matched: str, key: str) -> None:
        self.better = [found.metrics[name].better for name in (matched, key)]
        self.points = {
            run.name: [float(run.values(name, found.images).mean()) for name in (matched, key)] for run in found.runs
        }
        costs = lower_is_better(np.array(list(self.points.values())), self.better)
        worst = [list(self.points.values())[i] for i in costs.argmax(axis=0).tolist()]
        self.reference = (worst[0][0], worst[1][1])

    def frontier(self) -> list[str]:
        free = undominated(np.array(list(self.points.values())), self.better)
        return [name for name, alone in zip(self.points, free.tolist(), strict=True) if alone]

    def hypervolume(self, runs: Sequence[str]) -> float:
        return hypervolume(np.array([self.points[run] for run in runs]), self.reference, self.better)


def _sweep(
    group: Group, levels: Float[np.ndarray, " runs"], between: tuple[int, int], planes: Mapping[str, _Plane]
) -> Sweep:
    names = group.run_names
    return Sweep(
        name=group.name,
        terms=list(group.terms),
        runs=names,
        weights=group.weights,
        levels=levels.tolist(),
        between=(names[between[0]], names[between[1]]),
        hypervolumes={key: plane.hypervolume(names) for key, plane in planes.items()},
    )


def _turning_back(groups: Sequence[Group], label: str) -> list[str]:
    return [
        f"{label} does not follow the weight in the sweep {group.name}: its runs were taken in the order of {label}."
        for group in groups
        if group.turns_back()
    ]
