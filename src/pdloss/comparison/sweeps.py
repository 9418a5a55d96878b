"""Losses compared along their weights at equal fidelity: a perceptual gain is worth what it costs in distortion."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from jaxtyping import Float

from pdloss.comparison.grouping import Group, Point, sweeps
from pdloss.comparison.losses import readable
from pdloss.comparison.paired import Difference, Mean, gaps, interval, without_equal
from pdloss.comparison.plane import Plane
from pdloss.comparison.scored import Comparable, comparable
from pdloss.comparison.verdicts import corrected_interval, corrected_p, pairs, rule, too_few, verdict
from pdloss.errors import RunError, SpecError
from pdloss.records import CEILING, Metric, Record, equal_pairs
from pdloss.specs import suggestion
from pdloss.statistics import RESAMPLES, Matched, at_level, bootstrap_p_value, common_range, resample_shares
from pdloss.tables.numerals import equal_text, number


class SweepPoint(Record, frozen=True, kw_only=True):
    """One weight of a sweep: the mean over its runs, which differ in nothing but the seed."""

    runs: list[str]
    weights: list[float]
    """Of each term of the sweep."""
    level: float
    """The mean of the score matched on."""
    spreads: dict[str, float] = msgspec.field(default_factory=dict)
    """By metric, the standard deviation of the runs' means; only where there are several runs."""


class Sweep(Record, frozen=True, kw_only=True):
    """Runs that differ in nothing but the weights of their loss's terms, and in the seed."""

    name: str
    terms: list[str]
    """Of the loss, without their weights."""
    points: list[SweepPoint]
    """In the order of the score matched on."""
    between: tuple[int, int]
    """Places of the neighbours of the level compared at."""
    hypervolumes: dict[str, float]
    """By metric: the area of the plane of both scores that the sweep's runs beat, as far as the reference point."""

    @property
    def runs(self) -> list[str]:
        """The names of its runs."""
        return [run for point in self.points for run in point.runs]


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

    Which runs form a sweep says `pdloss.comparison.grouping`. Where there are several, a single loss whose terms all of
    them share, such as plain ``l1``, is the end of each at weight zero.

    Args:
        paths: Run folders, folders of ``pdloss score``, or score files.
        matched: The metric to make equal.
        set_name: Which scored set; by default, of those in common, the one written last.
        level: Its value; by default the middle of what every sweep reaches.
        seed: Of the resamples.
        resamples: How many.

    Raises:
        RunError: If the runs cannot be compared, form fewer than two sweeps, or a sweep does not reach the level.
        SpecError: If `matched` is no metric that all runs have, or their only one.
    """
    found = _with_metric(comparable(paths, set_name), matched)
    one = _matching(found, matched, level, resample_shares(len(found.images), resamples, seed))
    low, high = common_range(one.firsts)
    return MatchedComparison(
        set=found.runs[0].scores.set,
        images=len(found.images),
        degradation=found.degradation,
        matched=matched,
        level=one.level,
        low=low,
        high=high,
        sweeps=one.sweeps(),
        metrics=found.metrics,
        means=[mean for key in one.points for mean in one.means(key)],
        differences=[difference for key in one.points for difference in one.differences(key)],
        references={key: plane.reference for key, plane in one.planes.items()},
        frontiers={key: [found.runs[i].name for i in plane.frontier()] for key, plane in one.planes.items()},
        seed=seed,
        resamples=resamples,
        protocol=rule(one.comparisons, resamples, seed, ranked=False),
        notes=[*found.notes, *one.remarks(), *_equal(found), *too_few(len(found.images), one.comparisons)],
    )


def _with_metric(found: Comparable, matched: str) -> Comparable:
    if matched not in found.metrics:
        raise SpecError(f"the runs have no metric {matched!r} in common{suggestion(matched, found.metrics)}")
    if len(found.metrics) == 1:
        raise SpecError(f"the runs have no metric but {matched!r} in common; evaluate them with those to compare")
    return found


@dataclass(frozen=True)
class _Contestant:
    """A sweep as it is compared: its points in the order of the matched score."""

    group: Group
    points: tuple[Point, ...]

    @property
    def runs(self) -> list[int]:
        return [run for point in self.points for run in point.runs]

    def values(self, found: Comparable, metric: str) -> Float[np.ndarray, "points images"]:
        """Returns the scores of one metric, a row for each point: the mean over its runs."""
        return np.stack([_values(found, point, metric).mean(axis=0) for point in self.points])


def _values(found: Comparable, point: Point, metric: str) -> Float[np.ndarray, "runs images"]:
    return np.stack([found.runs[run].values(metric, found.images) for run in point.runs])


@dataclass(frozen=True)
class _Matching:
    """Sweeps where their score is the same: what a comparison of them is made from."""

    found: Comparable
    matched: str
    contestants: list[_Contestant]
    firsts: list[Float[np.ndarray, "_ n"]]
    """Of each sweep the scores matched on, a row for each of its points."""
    level: float
    points: dict[str, list[Matched]]
    """By every other metric, of each sweep the score at the level."""

    @property
    def comparisons(self) -> int:
        """How many differences are looked at."""
        return pairs(len(self.contestants)) * len(self.points)

    @property
    def planes(self) -> dict[str, Plane]:
        """By metric, its plane with the score matched on."""
        return {key: self.found.plane(self.matched, key) for key in self.points}

    def sweeps(self) -> list[Sweep]:
        """Returns each sweep with the areas that it wins."""
        planes, (first, *_) = self.planes, self.points.values()
        return [
            Sweep(
                name=one.group.name,
                terms=list(map(str, one.group.terms)),
                points=[_point(point, one.group, self.found, self.matched) for point in one.points],
                between=at.between,
                hypervolumes={key: plane.hypervolume(one.runs) for key, plane in planes.items()},
            )
            for one, at in zip(self.contestants, first, strict=True)
        ]

    def means(self, key: str) -> list[Mean]:
        """Returns each sweep's score at the level, with its interval."""
        means = []
        for one, point in zip(self.contestants, self.points[key], strict=True):
            low, high = interval(point.replicates, len(self.found.images))
            means.append(Mean(metric=key, name=one.group.name, value=point.value, low=low, high=high))
        return means

    def differences(self, key: str) -> list[Difference]:
        """Returns each other sweep's difference from the first."""
        n, better, (first, *others) = len(self.found.images), self.found.metrics[key].better, self.points[key]
        differences = []
        for one, point in zip(self.contestants[1:], others, strict=True):
            value = float(gaps(np.array([point.value]), np.array([first.value]), better)[0])
            replicates = gaps(point.replicates, first.replicates, better)
            bounds = corrected_interval(replicates, n, self.comparisons)
            p_value = bootstrap_p_value(replicates, n) if n > 1 else None
            differences.append(
                Difference(
                    metric=key,
                    name=one.group.name,
                    against=self.contestants[0].group.name,
                    value=value,
                    low=bounds[0],
                    high=bounds[1],
                    wilcoxon=None,
                    bootstrap=p_value,
                    bootstrap_corrected=None if p_value is None else corrected_p(p_value, self.comparisons),
                    verdict=verdict(value, bounds, better, n, self.comparisons),
                )
            )
        return differences

    def remarks(self) -> list[str]:
        """Returns what is to be said: a score that does not follow the weight, settings that are unknown."""
        said = []
        label = self.found.metrics[self.matched].label
        for one in self.contestants:
            weights = zip(*(_weights(point, one.group, self.found) for point in one.points), strict=True)
            varying = [column for column in weights if len(set(column)) > 1]
            if len(varying) == 1 and list(varying[0]) not in (sorted(varying[0]), sorted(varying[0], reverse=True)):
                said.append(
                    f"{label} does not follow the weight in the sweep {one.group.name}: its runs were taken in the "
                    f"order of {label}."
                )
            if one.group.settings is None and len(one.points) > 1:
                names = ", ".join(self.found.runs[run].name for run in one.runs)
                said.append(
                    f"How {names} were trained is not known: they are one sweep because their stated losses are."
                )
        return said


def _matching(found: Comparable, matched: str, level: float | None, shares: Float[np.ndarray, "b n"]) -> _Matching:
    """Returns the sweeps at a level, by default the middle of what each reaches.

    Raises:
        RunError: If there are fewer than two sweeps, or one does not reach the level.
    """
    contestants = _contestants(found, matched)
    firsts = [one.values(found, matched) for one in contestants]
    level = _chosen_level(level, [one.group.name for one in contestants], firsts, found.metrics[matched].label)
    points = {
        key: list(
            at_level([(x, one.values(found, key)) for x, one in zip(firsts, contestants, strict=True)], level, shares)
        )
        for key in found.metrics
        if key != matched
    }
    return _Matching(found, matched, contestants, firsts, level, points)


def _contestants(found: Comparable, matched: str) -> list[_Contestant]:
    """Returns the sweeps to compare; what is the end of all others at weight zero joins them, if two remain.

    Raises:
        RunError: If two runs differ in nothing, not even the seed, or there are fewer than two sweeps.
    """
    groups = sweeps([run.trained for run in found.runs])
    for group in groups:
        _refuse_twins(group, found)
    common = _common_end(groups)
    if common is not None:
        groups = [group for group in groups if group.points[0] is not common]
    if len(groups) < 2:
        raise RunError(
            f"the runs form one sweep, of {' + '.join(map(str, groups[0].terms))}; a matched comparison needs the "
            "runs of two losses, or of two settings"
        )

    def level(point: Point) -> float:
        return float(_values(found, point, matched).mean())

    return [
        _Contestant(group, tuple(sorted(group.path if common and group.origin is common else group.points, key=level)))
        for group in groups
    ]


def _common_end(groups: Sequence[Group]) -> Point | None:
    """Returns the one point whose terms every other sweep holds, if there are two of them."""
    for group in groups:
        others = [other for other in groups if other is not group and len(other.terms) > 0]
        joined = [other for other in others if other.origin is group.points[0]]
        if len(others) >= 2 and joined and all(set(group.terms) < set(other.terms) for other in others):
            return group.points[0]
    return None


def _refuse_twins(group: Group, found: Comparable) -> None:
    for point in group.points:
        seeds: dict[int | None, str] = {}
        for run in (found.runs[place] for place in point.runs):
            seed = run.record.seed if run.record else None
            if (twin := seeds.setdefault(seed, run.name)) != run.name:
                raise RunError(
                    f"{twin} and {run.name} were trained alike, with the loss {run.loss!r} and the seed {seed}; give "
                    "one of them"
                )


def _chosen_level(
    level: float | None, names: Sequence[str], firsts: Sequence[Float[np.ndarray, "_ n"]], label: str
) -> float:
    low, high = common_range(firsts)
    reached = ((name, values.mean(axis=1)) for name, values in zip(names, firsts, strict=True))
    each = "; ".join(f"{name} from {means.min():.6g} to {means.max():.6g}" for name, means in reached)
    if low > high:
        raise RunError(f"no {label} is reached by every sweep, and nothing is extrapolated: {each}")
    if level is not None and not low <= level <= high:
        raise RunError(
            f"{label} {level:g} is not reached by every sweep, and nothing is extrapolated; choose from {low:.6g} to "
            f"{high:.6g} ({each})"
        )
    return (low + high) / 2 if level is None else level


def _point(point: Point, group: Group, found: Comparable, matched: str) -> SweepPoint:
    means = {key: _values(found, point, key).mean(axis=1) for key in found.metrics}
    return SweepPoint(
        runs=[found.runs[run].name for run in point.runs],
        weights=_weights(point, group, found),
        level=float(means[matched].mean()),
        spreads={key: float(of_runs.std(ddof=1)) for key, of_runs in means.items() if len(of_runs) > 1},
    )


def _equal(found: Comparable) -> list[str]:
    """Returns of each run and metric how many images equal their targets, where some do."""
    said = []
    for key, metric in found.metrics.items():
        for run in found.runs:
            values = run.values(key, found.images)
            count, without = without_equal(values, np.array(equal_pairs(metric, values.tolist()), dtype=bool))
            if count:
                said.append(
                    f"The mean {metric.label} of {run.name} counts {CEILING:g} dB for images that equal their targets: "
                    f"{number(float(values.mean()), 2)}, {equal_text(count, without, 2)}."
                )
    return said


def _weights(point: Point, group: Group, found: Comparable) -> list[float]:
    loss = readable(found.runs[point.runs[0]].loss) or {}
    return [loss.get(term, 0.0) for term in group.terms]
