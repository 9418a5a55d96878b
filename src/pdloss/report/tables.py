"""Scores in rows and columns: means, paired differences with their standard errors, and what is best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pdloss.records import Metric
from pdloss.report.sources import Comparison, ScoredRun

MINUS, NO_BREAK = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Difference:
    """A mean difference over pairs, and its standard error: none for a single pair."""

    mean: float
    error: float | None


@dataclass(frozen=True)
class Cell:
    """One score of one row, as numbers and as text."""

    mean: float
    text: str
    difference: Difference | None = None
    difference_text: str = ""
    clear: bool = False
    """Whether the difference is more than twice its standard error."""
    best: bool = False


@dataclass(frozen=True)
class Row:
    """The scores of one run, or of the degraded input, in the order of the metrics."""

    name: str
    colour: int | None
    cells: tuple[Cell | None, ...]


def paired_difference(values: Float[np.ndarray, " n"], reference: Float[np.ndarray, " n"]) -> Difference:
    r"""Returns the mean difference of two scores on the same images, with the standard error of that mean.

    .. math:: \bar d = \frac{1}{n} \sum_i d_i, \qquad
       \mathrm{SE} = \sqrt{\frac{1}{n (n - 1)} \sum_i (d_i - \bar d)^2}, \qquad d_i = a_i - b_i

    Pairing removes what makes an image easy or hard for both, usually most of the spread.

    Example:
        >>> paired_difference(np.array([3.0, 5.0]), np.array([1.0, 1.0]))
        Difference(mean=3.0, error=1.0)
    """
    differences = values - reference
    n = len(differences)
    error = float(differences.std(ddof=1)) / math.sqrt(n) if n > 1 else None
    return Difference(float(differences.mean()), error)


def score_table(comparison: Comparison) -> list[Row]:
    """Returns the degraded input's row, then one row per run; differences are against the first run."""
    rows = [Row("degraded input", None, tuple(_input_cell(comparison, key) for key in comparison.metrics))]
    columns = [_column(comparison, key) for key in comparison.metrics]
    for index, run in enumerate(comparison.runs):
        rows.append(Row(run.name, index, tuple(column[index] for column in columns)))
    return rows


def image_table(comparison: Comparison, key: str) -> list[Row]:
    """Returns one row per image: its score as the degraded input, then as restored by each run, best ones marked."""
    digits, metric = decimals(comparison, key), comparison.metrics[key]
    degraded = comparison.degraded(key)
    columns = np.array([comparison.restored(run, key) for run in comparison.runs])
    rows = []
    for i, name in enumerate(comparison.images):
        best = best_of(columns[:, i].tolist(), metric, digits)
        first = None if degraded is None else Cell(float(degraded[i]), number(degraded[i], digits))
        cells = [Cell(float(v), number(v, digits), best=b) for v, b in zip(columns[:, i], best, strict=True)]
        rows.append(Row(name, None, (first, *cells)))
    return rows


def best_of(values: Sequence[float], metric: Metric, digits: int) -> list[bool]:
    """Returns which of several values read as the best when rounded; none of one value.

    Example:
        >>> best_of([0.121, 0.124, 0.2], Metric(label="LPIPS", better="lower", protocol=""), 2)
        [True, True, False]
    """
    if len(values) < 2:
        return [False] * len(values)
    rounded = [round(value, digits) for value in values]
    best = max(rounded) if metric.better == "higher" else min(rounded)
    return [value == best for value in rounded]


def headline(comparison: Comparison) -> str:
    """Returns one sentence on the best trade-off: PSNR against LPIPS, or else the first two metrics."""
    keys = trade_off(comparison) or tuple(comparison.metrics)[:2]
    images = f"the {len(comparison.images)} images" if len(comparison.images) > 1 else "the one image"
    if len(comparison.runs) == 1:
        return f"{_gains(comparison, keys)} on average over {images}."
    best = [_best_run(comparison, key) for key in keys]
    among = f"of the {len(comparison.runs)} runs on {images}"
    if best[0] is best[-1]:
        scores = " and ".join(f"the {_extreme(comparison, key)}" for key in keys)
        return f"{best[0].name} has {scores} {among}."
    fidelity, perception = keys
    gain, cost = (
        paired_difference(comparison.restored(best[1], key), comparison.restored(best[0], key))
        for key in (perception, fidelity)
    )
    return (
        f"{best[1].name} has the {_extreme(comparison, perception)} and {best[0].name} the "
        f"{_extreme(comparison, fidelity)} {among}: {_amount(comparison, perception, gain)} "
        f"{comparison.metrics[perception].label} {'less' if gain.mean < 0 else 'more'} costs "
        f"{_amount(comparison, fidelity, cost)} {comparison.metrics[fidelity].label}."
    )


def trade_off(comparison: Comparison) -> tuple[str, str] | None:
    """Returns the keys of PSNR and LPIPS, options in their names included; none if either is absent."""
    found = [next((k for k in comparison.metrics if k.partition("(")[0] == name), None) for name in ("psnr", "lpips")]
    fidelity, perception = found
    return (fidelity, perception) if fidelity and perception else None


def decimals(comparison: Comparison, key: str) -> int:
    """Returns how many decimals show a metric to about four figures: two for 29.83, four for 0.1234."""
    size = min(abs(float(comparison.restored(run, key).mean())) for run in comparison.runs)
    return 2 if size >= 10 else 3 if size >= 1 else 4


def number(value: float, digits: int) -> str:
    """Returns the value with a true minus sign.

    Example:
        >>> number(-1.0, 2)
        '−1.00'
    """
    return f"{value:.{digits}f}".replace("-", MINUS)


def _input_cell(comparison: Comparison, key: str) -> Cell | None:
    values = comparison.degraded(key)
    return None if values is None else Cell(float(values.mean()), number(values.mean(), decimals(comparison, key)))


def _column(comparison: Comparison, key: str) -> list[Cell]:
    digits = decimals(comparison, key)
    columns = [comparison.restored(run, key) for run in comparison.runs]
    means = [float(column.mean()) for column in columns]
    cells = []
    for i, best in enumerate(best_of(means, comparison.metrics[key], digits)):
        text = number(means[i], digits)
        if i == 0:
            cells.append(Cell(means[i], text, best=best))
            continue
        difference = paired_difference(columns[i], columns[0])
        shown = f"{difference.mean:+.{digits}f}".replace("-", MINUS)
        if difference.error is not None:
            shown += f" ± {difference.error:.{digits}f}"
        clear = difference.error is not None and abs(difference.mean) > 2 * difference.error
        cells.append(Cell(means[i], text, difference, shown, clear, best))
    return cells


def _best_run(comparison: Comparison, key: str) -> ScoredRun:
    sign = 1 if comparison.metrics[key].better == "higher" else -1
    return max(comparison.runs, key=lambda run: sign * float(comparison.restored(run, key).mean()))


def _extreme(comparison: Comparison, key: str) -> str:
    metric = comparison.metrics[key]
    mean = float(comparison.restored(_best_run(comparison, key), key).mean())
    word = "highest" if metric.better == "higher" else "lowest"
    return f"{word} {metric.label} ({_with_unit(number(mean, decimals(comparison, key)), metric)})"


def _amount(comparison: Comparison, key: str, difference: Difference) -> str:
    digits = decimals(comparison, key)
    error = "" if difference.error is None else f"{NO_BREAK}±{NO_BREAK}{difference.error:.{digits}f}"
    return _with_unit(number(abs(difference.mean), digits) + error, comparison.metrics[key])


def _gains(comparison: Comparison, keys: Sequence[str]) -> str:
    """Returns "X takes PSNR from 20.1 to 30.2 dB and LPIPS to 0.12"."""
    run, parts = comparison.runs[0], []
    for key in keys:
        metric, digits = comparison.metrics[key], decimals(comparison, key)
        before, after = comparison.degraded(key), float(comparison.restored(run, key).mean())
        start = "" if before is None else f" from {number(float(before.mean()), digits)}"
        parts.append(f"{metric.label}{start} to {_with_unit(number(after, digits), metric)}")
    return f"{run.name} takes {' and '.join(parts)}"


def _with_unit(text: str, metric: Metric) -> str:
    return f"{text}{NO_BREAK}{metric.unit}" if metric.unit else text
