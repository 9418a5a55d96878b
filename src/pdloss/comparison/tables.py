"""Comparisons in rows and columns: as tables of text, as plain numbers for CSV."""

import math
from collections.abc import Sequence
from dataclasses import replace

from pdloss.comparison.paired import Comparison, Difference, Mean
from pdloss.comparison.sweeps import MatchedComparison, SweepPoint
from pdloss.records import CEILING, Metric
from pdloss.tables.csv_text import csv_text
from pdloss.tables.numerals import DASH, between, decimals, equal_text, heading, number, p_text
from pdloss.tables.table import Cell, Table

CSV_COLUMNS = (
    *("kind", "metric", "name", "against", "value", "low", "high", "error"),
    *("wilcoxon", "bootstrap", "wilcoxon_corrected", "bootstrap_corrected", "verdict", "equal", "without_equal"),
)
"""One row for each number: a ``mean``, a ``difference``, or a score of the whole ``set``."""


_STYLES = {"better": "green", "worse": "red"}
"""How a verdict's row is coloured in a terminal."""


def tables(comparison: Comparison | MatchedComparison) -> list[Table]:
    """Returns the tables: means, differences, what only one of the kinds has; below the last all that is to be said."""
    images = f"{comparison.set}, {comparison.images} image{'s' if comparison.images != 1 else ''}"
    if isinstance(comparison, Comparison):
        result = [_means("run", f"{images}: means and 95 % intervals", comparison.means, comparison.metrics)]
        result += _differences(comparison.differences, comparison.metrics)
        result += [_set_scores(comparison)] if comparison.set_metrics else []
    else:
        level = number(comparison.level, decimals(comparison.level))
        metric = comparison.metrics[comparison.matched]
        where = f"{images}, at {metric.label} {level}{f' {metric.unit}' if metric.unit else ''}"
        result = [
            _sweeps(comparison),
            _means("sweep", f"{where}: means and 95 % intervals", comparison.means, comparison.metrics),
            *_differences(comparison.differences, comparison.metrics),
        ]
    return [*result[:-1], replace(result[-1], remarks=tuple(remarks(comparison)))]


def remarks(comparison: Comparison | MatchedComparison) -> list[str]:
    """Returns the sentences below the tables: frontiers, notes, each metric's protocol, and that of the intervals."""
    said = []
    if isinstance(comparison, MatchedComparison):
        first = comparison.metrics[comparison.matched].label
        for key, runs in comparison.frontiers.items():
            label = comparison.metrics[key].label
            corner = ", ".join(number(value, decimals(value)) for value in comparison.references[key])
            said.append(
                f"Beaten by no other run in both {first} and {label}: {', '.join(runs)}. The area of that plane "
                f"is measured from the worst of all runs in each, ({corner})."
            )
        metrics = comparison.metrics
    else:
        metrics = comparison.metrics | comparison.set_metrics
        said += [
            f"{metrics[key].label} of {name}: {score.note}."
            for key, scores in comparison.set_scores.items()
            for name, score in scores.items()
            if score.note
        ]
    said += comparison.notes
    said += equal_remarks(comparison)
    if "zero" in {metric.better for metric in comparison.metrics.values()}:
        said.append("Of a score that is best near zero, differences are those of the distance from zero.")
    said += [f"{metric.label}: {metric.protocol}." for metric in metrics.values()]
    return [*said, f"{comparison.protocol}."]


def equal_remarks(comparison: Comparison | MatchedComparison) -> list[str]:
    """Returns what images that equal their targets do to a mean, where there are some."""
    labels = {comparison.metrics[one.metric].label: one for one in comparison.means if one.equal}
    return [
        f"{label} of an image that equals its target is infinite and counts {CEILING:g} dB: the means without such "
        "images stand beside."
        for label in labels
    ]


def numbers_csv(comparison: Comparison | MatchedComparison) -> str:
    """Returns every number, unrounded, under `CSV_COLUMNS`; what there is not stays empty."""
    rows = [
        {"kind": kind} | {name: getattr(one, name) for name in one.__struct_fields__}
        for kind, numbers in (("mean", comparison.means), ("difference", comparison.differences))
        for one in numbers
    ]
    if isinstance(comparison, Comparison):
        rows += [
            {"kind": "set", "metric": key, "name": name, "value": score.value, "error": score.error}
            for key, scores in comparison.set_scores.items()
            for name, score in scores.items()
        ]
    return csv_text(CSV_COLUMNS, rows)


def _means(what: str, title: str, means: Sequence[Mean], metrics: dict[str, Metric]) -> Table:
    shown = list(dict.fromkeys(mean.metric for mean in means))
    cells = {(mean.name, mean.metric): _mean(mean) for mean in means}
    names = dict.fromkeys(mean.name for mean in means)
    rows = tuple((name, *(cells[name, key] for key in shown)) for name in names)
    return Table(title, (what, *(heading(metrics[key]) for key in shown)), rows)


def _mean(mean: Mean) -> str:
    digits = decimals(mean.value)
    lines = [number(mean.value, digits)]
    lines.append(between(mean.low, mean.high, digits))
    if mean.equal:
        lines.append(equal_text(mean.equal, mean.without_equal, digits))
    return "\n".join(filter(None, lines))


def _differences(differences: Sequence[Difference], metrics: dict[str, Metric]) -> list[Table]:
    """Returns a table for each run that is compared with the first."""
    ranked = any(difference.wilcoxon is not None for difference in differences)
    tests = ("Wilcoxon\np", "bootstrap\np")[0 if ranked else 1 :]
    result = []
    for name in dict.fromkeys(difference.name for difference in differences):
        rows = []
        for one in (difference for difference in differences if difference.name == name):
            digits = _digits(one)
            shown = number(one.value, digits, sign=True)
            bounds = between(one.low, one.high, digits) or DASH
            if one.equal:
                shown += f"\n{equal_text(one.equal, one.without_equal, decimals(one.without_equal or 0))}"
            p_values = (one.wilcoxon_corrected, one.bootstrap_corrected)[0 if ranked else 1 :]
            texts = (heading(metrics[one.metric]), shown, bounds, *map(p_text, p_values), one.verdict)
            rows.append(tuple(Cell(text, style=_STYLES.get(one.verdict, "")) for text in texts))
        title = f"{name} against {differences[0].against}"
        result.append(Table(title, ("metric", "difference", "interval", *tests, "verdict"), tuple(rows)))
    return result


def _digits(difference: Difference) -> int:
    """Returns the decimals that show two figures of the interval's half length."""
    if difference.low is None or difference.high is None or difference.low == difference.high:
        return 4
    return min(8, max(0, 1 - math.floor(math.log10((difference.high - difference.low) / 2))))


def _set_scores(comparison: Comparison) -> Table:
    rows = []
    for run in comparison.runs:
        cells = []
        for scores in comparison.set_scores.values():
            if (score := scores.get(run)) is None:
                cells.append(DASH)
                continue
            digits = decimals(score.value)
            cells.append(number(score.value, digits) + (f" ± {score.error:.{digits}f}" if score.error else ""))
        rows.append((run, *cells))
    headings = (heading(metric) for metric in comparison.set_metrics.values())
    return Table("of all images together: nothing to test", ("run", *headings), tuple(rows))


def _sweeps(comparison: MatchedComparison) -> Table:
    others = [key for key in comparison.metrics if key != comparison.matched]
    matched = comparison.metrics[comparison.matched]
    rows = []
    for sweep in comparison.sweeps:
        runs = "\n".join(_point(point, comparison.matched) for point in sweep.points)
        areas = (f"{sweep.hypervolumes[key]:.3g}" for key in others)
        rows.append((sweep.name, runs, *areas))
    areas = (f"area with\n{comparison.metrics[key].label}" for key in others)
    title = f"sweeps; all reach {matched.label} {number(comparison.low, 2)} to {number(comparison.high, 2)}"
    return Table(title, ("sweep", f"runs, {heading(matched)}", *areas), tuple(rows), left=2)


def _point(point: SweepPoint, matched: str) -> str:
    """Returns the runs of one weight with the level that they reach, and its spread where they are several."""
    spread = f" ± {number(point.spreads[matched], 2)} ({len(point.runs)} seeds)" if matched in point.spreads else ""
    return f"{', '.join(point.runs)} {number(point.level, 2)}{spread}"
