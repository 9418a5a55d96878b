"""Our runs as rows of the paper's tables, and whether the paper's order of losses holds among them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pdloss.comparison.losses import readable
from pdloss.report.paper import LABELS, PaperTable
from pdloss.report.sources import Comparison
from pdloss.specs import Call
from pdloss.statistics.kendall import kendall_tau
from pdloss.tables.numerals import number

_BETTER = {"psnr": 1, "ms_ssim": 1, "lpips": -1, "niqe": -1, "fid": -1}
_PROJECTIONS = {"identity": "PDL", "pairs": "PDL-pairs", "perturbed": "PDL-perturbed", "sphere": "PDL-sphere"}
_ROWS = ("reference", "input")
# Rows of the paper that no training made.


@dataclass(frozen=True)
class OurPoint:
    """One loss at one weight: the runs of its seeds."""

    label: str
    """The paper's name of the loss; empty where the paper has none such."""
    loss: str
    weight: str
    runs: tuple[int, ...]
    names: tuple[str, ...]
    trained: str
    """Steps and seeds in words."""
    weights: tuple[float, ...]

    def values(self, comparison: Comparison, metric: str) -> Float[np.ndarray, " images"]:
        """Returns a value for each image: the mean over seeds."""
        seeds = np.stack([comparison.restored(comparison.runs[run], metric) for run in self.runs])
        return np.asarray(seeds.mean(axis=0))

    def mean(self, comparison: Comparison, metric: str) -> float | None:
        """Returns the mean over seeds; None where a run lacks the metric."""
        means = self._means(comparison, metric)
        return None if means is None else float(np.mean(means))

    def spread(self, comparison: Comparison, metric: str) -> float | None:
        """Returns the standard deviation over seeds; None where there is one seed alone."""
        means = self._means(comparison, metric)
        return None if means is None or len(means) < 2 else float(np.std(means, ddof=1))

    def _means(self, comparison: Comparison, metric: str) -> list[float] | None:
        every = comparison.means(metric)
        found = [value for run in self.runs if (value := every[run]) is not None]
        return found if len(found) == len(self.runs) else None


def our_points(comparison: Comparison, apart: Collection[str] = ()) -> list[OurPoint]:
    """Returns our runs, those of one loss and weight together, in rising order of the weights of each loss.

    Args:
        comparison: Our runs.
        apart: Names of runs that stand for none of the paper's losses, whatever theirs are.
    """
    points = []
    for group in comparison.groups():
        for point, weight in zip(group.points, group.labels, strict=True):
            first = comparison.runs[point.runs[0]]
            names, record = tuple(comparison.runs[run].name for run in point.runs), first.record
            seeds = f", {len(point.runs)} seeds" if len(point.runs) > 1 else ""
            points.append(
                OurPoint(
                    "" if set(apart) & set(names) else paper_label(readable(first.loss)),
                    group.name,
                    weight,
                    point.runs,
                    names,
                    f"{record.steps:,} steps{seeds}" if record else "training not known",
                    point.weights,
                )
            )
    return points


def paper_label(terms: Mapping[Call, float] | None) -> str:
    """Returns what the paper calls a loss; empty where it has none such.

    Example:
        >>> from pdloss.comparison.losses import terms_of
        >>> paper_label(terms_of("l1 + 0.1*contextual(distance='l2')")), paper_label(terms_of("l1"))
        ('CTXL2', 'no-perceptual')
    """
    others = [term for term in terms or () if term.name not in ("l1", "l2")]
    names = {term.name for term in others}
    if "adversarial" in names:
        return "SRGAN"
    if terms and not others:
        return "no-perceptual"
    if len(others) != 1:
        return ""
    options = dict(others[0].options)
    match others[0].name:
        case "perceptual":
            return f"L{options.get('p', 1):g}"
        case "contextual":
            return "CTXL2" if options.get("distance") == "l2" else "CTXDP"
        case "pdl":
            return _PROJECTIONS.get(str(options.get("projection", "identity")), "")
    return ""


def verdict(table: PaperTable, comparison: Comparison, points: Sequence[OurPoint]) -> list[str]:
    """Returns for each score that both have how far the paper's order of rows and of losses holds in ours."""
    paired = _paired(table, points)
    said = []
    for key in table.columns:
        found = next((k for k in (*comparison.metrics, *comparison.set_metrics) if k.partition("(")[0] == key), None)
        if found is None or len(paired) < 3:
            continue
        rows = [
            (loss, theirs[key], ours)
            for loss, theirs, point in paired
            if key in theirs and (ours := point.mean(comparison, found)) is not None
        ]
        if len(rows) >= 3:
            said.append(_sentence(LABELS[key], _BETTER[key], rows))
    return said


def _paired(table: PaperTable, points: Sequence[OurPoint]) -> list[tuple[str, Mapping[str, float], OurPoint]]:
    """Returns rows of both: of the same weight where the paper's is printed, else each loss's in their order."""
    paired: list[tuple[str, Mapping[str, float], OurPoint]] = []
    for loss in dict.fromkeys(row.loss for row in table.rows if row.loss not in _ROWS):
        rows = [row for row in table.rows if row.loss == loss]
        ours = [point for point in points if point.label == loss.removesuffix("-identity")]
        exact = [(row, p) for row in rows for p in ours if row.weight and _equal(row.weight, p.weight)]
        matched = exact if exact else list(zip(rows, ours, strict=False))
        paired += [(loss, row.scores, point) for row, point in matched]
    return paired


def _equal(printed: str, ours: str) -> bool:
    try:
        return float(printed) == float(ours)
    except ValueError:
        return False


def _sentence(label: str, sign: int, rows: Sequence[tuple[str, float, float]]) -> str:
    tau = kendall_tau(np.array([theirs for _, theirs, _ in rows]), np.array([ours for *_, ours in rows]))
    orders = []
    for column in (1, 2):
        best: dict[str, float] = {}
        for row in rows:
            value = sign * float(row[column])
            best[row[0]] = max(value, best.get(row[0], value))
        orders.append([loss for loss, _ in sorted(best.items(), key=lambda item: -item[1])])
    theirs, ours = orders
    holds = (
        "the order of the losses, each at its best, is the paper's"
        if theirs == ours
        else (f"the paper's order of the losses, each at its best, is {', '.join(theirs)}; ours is {', '.join(ours)}")
    )
    return f"{label}: Kendall's tau between the paper's {len(rows)} rows and ours is {number(float(tau), 2)}; {holds}."
