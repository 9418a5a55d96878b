"""Our runs as rows of the paper's tables, and whether the paper's order of losses holds among them."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from pdloss.report.paper import LABELS, PaperTable
from pdloss.report.points import WeightPoint
from pdloss.report.sources import Comparison
from pdloss.specs import Call
from pdloss.statistics.kendall import kendall_tau
from pdloss.tables.numerals import number

_BETTER = {"psnr": 1, "ms_ssim": 1, "lpips": -1, "niqe": -1, "fid": -1}
_PROJECTIONS = {"identity": "PDL", "pairs": "PDL-pairs", "perturbed": "PDL-perturbed", "sphere": "PDL-sphere"}
_ROWS = ("reference", "input")
# Rows of the paper that no training made.


def labels(points: Sequence[WeightPoint], apart: Collection[str] = ()) -> list[str]:
    """Returns what the paper calls each point's loss.

    Args:
        points: Ours.
        apart: Names of runs that stand for none of the paper's losses, whatever theirs are.
    """
    return ["" if set(apart) & set(point.names) else paper_label(point.terms) for point in points]


def paper_label(terms: Collection[Call]) -> str:
    """Returns what the paper calls a loss; empty where it has none such.

    Example:
        >>> from pdloss.comparison.losses import terms_of
        >>> paper_label(terms_of("l1 + 0.1*contextual(distance='l2')")), paper_label(terms_of("l1"))
        ('CTXL2', 'no-perceptual')
    """
    others = [term for term in terms if term.name not in ("l1", "l2")]
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


def verdict(
    table: PaperTable, comparison: Comparison, points: Sequence[WeightPoint], called: Sequence[str]
) -> list[str]:
    """Returns for each score that both have how far the paper's order of rows and of losses holds in ours.

    Args:
        table: The paper's.
        comparison: Our runs.
        points: Ours.
        called: The paper's name of each.
    """
    paired = _paired(table, points, called)
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


def _paired(
    table: PaperTable, points: Sequence[WeightPoint], called: Sequence[str]
) -> list[tuple[str, Mapping[str, float], WeightPoint]]:
    """Returns rows of both: of the same weight where the paper's is printed, else each loss's in their order."""
    paired: list[tuple[str, Mapping[str, float], WeightPoint]] = []
    for loss in dict.fromkeys(row.loss for row in table.rows if row.loss not in _ROWS):
        rows = [row for row in table.rows if row.loss == loss]
        ours = [p for p, label in zip(points, called, strict=True) if label == loss.removesuffix("-identity")]
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
