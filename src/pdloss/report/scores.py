"""Scores in rows and columns: means with their intervals, what is best, and what cannot be told apart from it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pdloss.comparison.paired import Difference, Mean, difference
from pdloss.comparison.paired import mean as mean_of
from pdloss.records import Metric, SetScore
from pdloss.report.sources import Comparison
from pdloss.statistics import resample_shares
from pdloss.tables.numerals import INPUT, best_of, between, cost, decimals, equal_text, number

NO_BREAK = "\N{NO-BREAK SPACE}"
WORDS = {"higher": "highest", "lower": "lowest", "zero": "nearest to zero"}


@dataclass(frozen=True)
class Cell:
    """One score of one row, as numbers and as text."""

    mean: float
    text: str
    low: float | None = None
    high: float | None = None
    under: str = ""
    """What stands beneath it: its interval, or the standard error of a set's score."""
    best: bool = False
    tied: bool = False
    """Whether its difference from the best one does not count."""
    note: str | None = None
    """Why it is not to be trusted."""
    equal: int = 0
    """How many images equal their targets."""
    without_equal: float | None = None
    """The mean of the others."""


@dataclass(frozen=True)
class Row:
    """The scores of one run, or of the degraded input, in the order of the columns."""

    name: str
    run: int | None
    cells: tuple[Cell | None, ...]


def columns(comparison: Comparison) -> list[str]:
    """Returns the metrics in the order of the table: of images, then of the whole set."""
    return [*comparison.metrics, *comparison.set_metrics]


def score_table(comparison: Comparison) -> list[Row]:
    """Returns the degraded input's row, then one row per run."""
    shares = resample_shares(len(comparison.images))
    by_key = [_column(comparison, key, shares) for key in columns(comparison)]
    names = [INPUT, *(run.name for run in comparison.runs)]
    return [Row(name, None if i == 0 else i - 1, tuple(column[i] for column in by_key)) for i, name in enumerate(names)]


def image_table(comparison: Comparison, key: str) -> list[Row]:
    """Returns one row per image: its score as the degraded input, then as restored by each run, best ones marked."""
    digits, metric = digits_of(comparison, key), comparison.metrics[key]
    degraded = comparison.degraded(key)
    values = np.array([comparison.restored(run, key) for run in comparison.runs])
    rows = []
    for i, name in enumerate(comparison.images):
        best = best_of(values[:, i].tolist(), metric, digits)
        first = None if degraded is None else Cell(float(degraded[i]), number(degraded[i], digits))
        cells = [Cell(float(v), number(v, digits), best=b) for v, b in zip(values[:, i], best, strict=True)]
        rows.append(Row(name, None, (first, *cells)))
    return rows


def gap(comparison: Comparison, key: str, run: int, against: int) -> Difference:
    """Returns how far one run's mean lies above another's, and whether that counts: the rule is that of `compare`."""
    one, other = comparison.runs[run], comparison.runs[against]
    values = (comparison.restored(one, key), comparison.restored(other, key))
    shares = resample_shares(len(comparison.images))
    names = (key, one.name, other.name)
    return difference(names, *values, comparison.metrics[key], shares, comparison.comparisons)


def tied_with(comparison: Comparison, key: str, best: int) -> list[int]:
    """Returns the other runs whose difference from the best does not count."""
    others = (i for i in range(len(comparison.runs)) if i != best)
    return [i for i in others if not gap(comparison, key, i, best).clear]


def best_run(comparison: Comparison, key: str) -> int:
    """Returns the place of the run with the best mean, the first of equals."""
    metric = comparison.metric(key)
    found = [(cost(value, metric), i) for i, value in enumerate(comparison.means(key)) if value is not None]
    return min(found)[1]


def digits_of(comparison: Comparison, key: str) -> int:
    """Returns how many decimals show a metric, the same for every run."""
    return decimals(*(mean for mean in comparison.means(key) if mean is not None))


def with_unit(text: str, metric: Metric) -> str:
    """Returns the number with its unit, if it has one."""
    return f"{text}{NO_BREAK}{metric.unit}" if metric.unit else text


def _column(comparison: Comparison, key: str, shares: Float[np.ndarray, "b n"]) -> list[Cell | None]:
    if key not in comparison.metrics:
        return _set_column(comparison, key)
    digits, several = digits_of(comparison, key), len(comparison.runs) > 1
    values = [comparison.degraded(key), *(comparison.restored(run, key) for run in comparison.runs)]
    best = best_run(comparison, key)
    tied = tied_with(comparison, key, best) if several else []
    cells: list[Cell | None] = []
    for run, column in enumerate(values, start=-1):
        if column is None:
            cells.append(None)
            continue
        mean: Mean = mean_of(key, "", column, comparison.metrics[key], shares)
        under = [between(mean.low, mean.high, digits)]
        under += [equal_text(mean.equal, mean.without_equal, digits)] if mean.equal else []
        cells.append(
            Cell(
                mean.value,
                number(mean.value, digits),
                mean.low,
                mean.high,
                "; ".join(filter(None, under)),
                several and run == best,
                run in tied,
                equal=mean.equal,
                without_equal=mean.without_equal,
            )
        )
    return cells


def _set_column(comparison: Comparison, key: str) -> list[Cell | None]:
    digits = digits_of(comparison, key)
    best = best_run(comparison, key) if len(comparison.runs) > 1 else None
    scores = [comparison.of_set(None, key), *(comparison.of_set(run, key) for run in comparison.runs)]
    return [_set_cell(score, digits, run == best) for run, score in enumerate(scores, start=-1)]


def _set_cell(score: SetScore | None, digits: int, best: bool) -> Cell | None:
    if score is None:
        return None
    under = "" if score.error is None else f"±{NO_BREAK}{score.error:.{digits}f}"
    return Cell(score.value, number(score.value, digits), under=under, best=best, note=score.note)
