"""The runs of a comparison as points: one for each weight of a loss, its seeds together; and which one to take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pdloss.comparison.losses import readable
from pdloss.comparison.paired import Difference, Mean, difference, mean
from pdloss.comparison.plane import Plane
from pdloss.report.headline import fidelity, perception
from pdloss.report.scores import digits_of, with_unit
from pdloss.report.sources import Comparison
from pdloss.specs import Call
from pdloss.statistics import lower_is_better, resample_shares
from pdloss.tables.numerals import DASH, between, heading, number
from pdloss.tables.table import Cell, Table


@dataclass(frozen=True)
class WeightPoint:
    """One loss at one weight: the runs of its seeds."""

    loss: str
    weight: str
    runs: tuple[int, ...]
    names: tuple[str, ...]
    terms: tuple[Call, ...]
    trained: str
    """Steps and seeds in words."""

    @property
    def name(self) -> str:
        """The loss with its weight."""
        return f"{self.loss} at {self.weight}" if self.weight else self.loss

    def values(self, comparison: Comparison, metric: str) -> Float[np.ndarray, " images"]:
        """Returns a value for each image: the mean over seeds."""
        seeds = np.stack([comparison.restored(comparison.runs[run], metric) for run in self.runs])
        return np.asarray(seeds.mean(axis=0))

    def mean(self, comparison: Comparison, metric: str) -> float | None:
        """Returns the mean over seeds; None where a run lacks the metric."""
        means = self._means(comparison, metric)
        return None if means is None else float(np.mean(means))

    def whole(self, comparison: Comparison, metric: str, shares: Float[np.ndarray, "resamples images"]) -> Mean | None:
        """Returns the mean over images and seeds with its interval over images; None of a score of whole sets."""
        if metric not in comparison.metrics:
            return None
        return mean(metric, self.name, self.values(comparison, metric), comparison.metrics[metric], shares)

    def spread(self, comparison: Comparison, metric: str) -> float | None:
        """Returns the standard deviation over seeds; None where there is one seed alone."""
        means = self._means(comparison, metric)
        return None if means is None or len(means) < 2 else float(np.std(means, ddof=1))

    def _means(self, comparison: Comparison, metric: str) -> list[float] | None:
        every = comparison.means(metric)
        found = [value for run in self.runs if (value := every[run]) is not None]
        return found if len(found) == len(self.runs) else None


def points_of(comparison: Comparison) -> list[WeightPoint]:
    """Returns the runs, those of one loss and weight together, in rising order of the weights of each loss."""
    points = []
    for group in comparison.groups():
        for point, weight in zip(group.points, group.labels, strict=True):
            names = tuple(comparison.runs[run].name for run in point.runs)
            record = comparison.runs[point.runs[0]].record
            seeds = f", {len(point.runs)} seeds" if len(point.runs) > 1 else ""
            trained = f"{record.steps:,} steps{seeds}" if record else "training not known"
            terms = tuple(readable(comparison.runs[point.runs[0]].loss) or ())
            points.append(WeightPoint(group.name, weight, point.runs, names, terms, trained))
    return points


def points_table(comparison: Comparison, points: Sequence[WeightPoint]) -> Table:
    """Returns every score of every point: the mean, beneath it the interval over images and the spread over seeds."""
    keys = [*comparison.metrics, *comparison.set_metrics]
    shares = resample_shares(len(comparison.images))
    rows: list[tuple[str | Cell, ...]] = []
    for point in points:
        cells = [_cell(comparison, point, key, shares) for key in keys]
        rows.append((point.loss, point.weight, str(len(point.runs)), *cells))
    return Table(
        f"{comparison.set}, {len(comparison.images)} images: means, 95 % intervals over images, ± spread over seeds",
        ("loss", "weight", "seeds", *(heading(comparison.metric(key)) for key in keys)),
        tuple(rows),
        left=3,
        remarks=tuple(f"{comparison.metric(key).label}: {comparison.metric(key).protocol}." for key in keys),
    )


def recommendation(comparison: Comparison, points: Sequence[WeightPoint]) -> list[str]:
    """Returns which loss and weight to take, and why; nothing where fidelity or perception was not measured.

    Of the points that no other beats in both scores, it is the one nearest to the best of both, where each is measured
    from the worst of all points, 0, to the best, 1.
    """
    x, y = fidelity(comparison), perception(comparison)
    if x is None or y is None or len(points) < 2:
        return []
    places = np.stack([[point.values(comparison, key).mean() for key in (x, y)] for point in points])
    plane = Plane(comparison.metrics[x], comparison.metrics[y], tuple((float(a), float(b)) for a, b in places))
    costs = lower_is_better(places, plane.better)
    width = np.ptp(costs, axis=0)
    far = np.linalg.norm((costs - costs.min(axis=0)) / np.where(width, width, 1), axis=1)
    free = sorted(plane.frontier(), key=lambda i: float(far[i]))
    labels = f"{plane.x.label} and {plane.y.label}"
    reason = (
        f"of {len(points)} points, {len(free)} are beaten by no other in both {labels}; of these it lies nearest to "
        f"the best of both, each measured from its worst, 0, to its best, 1 (distance {far[free[0]]:.2f}"
    )
    runner = f"; next {points[free[1]].name}, {far[free[1]]:.2f})" if len(free) > 1 else ")"
    return [
        f"Recommended: {points[free[0]].name}: {reason}{runner}.",
        *_against_plain(comparison, points, free[0], (x, y)),
    ]


def _against_plain(
    comparison: Comparison, points: Sequence[WeightPoint], chosen: int, keys: Sequence[str]
) -> list[str]:
    """Returns what the chosen point gains and pays against the loss of pixels alone."""
    plain = next((i for i, point in enumerate(points) if {term.name for term in point.terms} <= {"l1", "l2"}), None)
    if plain is None or plain == chosen:
        return []
    said = []
    for key in keys:
        gap = _gap(comparison, points[chosen], points[plain], key, len(points))
        digits = digits_of(comparison, key)
        told = "counts" if gap.clear else "does not count"
        bounds = between(gap.low, gap.high, digits, sign=True)
        value = with_unit(number(gap.value, digits, sign=True), comparison.metrics[key])
        said.append(f"{comparison.metrics[key].label} {value} {bounds}, which {told}")
    return [f"Against {points[plain].name}, over the same images: {'; '.join(said)}."]


def _gap(comparison: Comparison, one: WeightPoint, other: WeightPoint, key: str, count: int) -> Difference:
    shares = resample_shares(len(comparison.images))
    values = one.values(comparison, key), other.values(comparison, key)
    comparisons = count * (count - 1) // 2 * len(comparison.metrics)
    return difference((key, one.name, other.name), *values, comparison.metrics[key], shares, comparisons)


def _cell(comparison: Comparison, point: WeightPoint, key: str, shares: Float[np.ndarray, "resamples images"]) -> Cell:
    value, digits = point.mean(comparison, key), digits_of(comparison, key)
    if value is None:
        return Cell(DASH)
    whole, spread = point.whole(comparison, key, shares), point.spread(comparison, key)
    said = [between(whole.low, whole.high, digits)] if whole else []
    said += [f"± {number(spread, digits)}"] if spread is not None else []
    return Cell(number(value, digits), note=" ".join(filter(None, said)))
