"""An analysis in rows and columns: as tables of text, as plain numbers for CSV."""

from collections.abc import Sequence
from dataclasses import replace

from pdloss.study.analysis.agreement import Agreement
from pdloss.study.analysis.exclusions import RaterCheck
from pdloss.study.analysis.preferences import Preference, shares_matrix
from pdloss.study.analysis.result import Analysis, Scale
from pdloss.tables.csv_text import csv_text
from pdloss.tables.numerals import DASH, number, p_text
from pdloss.tables.table import Table

CSV_COLUMNS = (
    *("kind", "model", "first", "second", "value", "error", "error_raters", "error_images", "error_clustered"),
    *("low", "high", "answers", "wins", "losses", "ties", "p_value", "p_clustered", "p_holm", "p_clustered_holm"),
    "verdict",
)
"""One row for each number: a ``preference`` of the first over the second, a ``score``, an ``agreement`` of a metric."""


def tables(analysis: Analysis) -> list[Table]:
    """Returns the preference matrix, the scores, all pairs and the agreement of metrics, each no wider than a page.

    Below the last stands all that is to be said.
    """
    pairs = pair_table(analysis)
    result = [
        preference_table(analysis),
        *([score_table(analysis)] if analysis.scales else []),
        pairs.columns((0, 1, 2, 3, 4, 5), "Every pair: share of the first"),
        pairs.columns((0, 6, 7, 8), "Two-sided tests of every pair, after Holm"),
        *([agreement_table(analysis.agreement)] if analysis.agreement else []),
    ]
    return [*result[:-1], replace(result[-1], remarks=tuple(remarks(analysis)))]


def remarks(analysis: Analysis) -> list[str]:
    """Returns what is to be said below the tables: who was left out, how well one scale fits, and how far to trust."""
    left_out = [check for check in analysis.raters if check.failed]
    said = [
        f"{len(analysis.raters) - len(left_out)} of {len(analysis.raters)} raters count; of {analysis.answers} answers "
        f"{analysis.used} are their comparisons of two methods, on {analysis.images} "
        f"image{'s' if analysis.images != 1 else ''}."
    ]
    said += [f"Left out: {check.rater} ({'; '.join(check.failed.values())})." for check in left_out]
    for scale in analysis.scales:
        if scale.p_value is not None:
            fits = "explains the answers" if scale.p_value >= 0.05 else "does not explain the answers"
            said.append(f"One scale {fits} ({scale.model}: {fit_words(scale)}).")
    return said + analysis.notes


def numbers_csv(analysis: Analysis) -> str:
    """Returns every number, unrounded, under `CSV_COLUMNS`; what there is not stays empty."""
    rows: list[dict[str, object]] = [
        _fields(one) | {"kind": "preference", "value": one.share, "answers": answers(one)}
        for one in analysis.preferences
    ]
    for scale in analysis.scales:
        names = {"kind": "score", "model": scale.model}
        rows += [_fields(score) | names | {"first": score.method, "value": score.score} for score in scale.scores]
    for metric in analysis.agreement:
        for name in ("answers", "cells", "tau"):
            value, low, high = (getattr(metric, name + end) for end in ("", "_low", "_high"))
            rows.append(
                {"kind": f"agreement, {name}", "first": metric.metric, "value": value, "low": low, "high": high}
            )
    return csv_text(CSV_COLUMNS, rows)


def answers(one: Preference) -> int:
    """Returns how many answers a pair got."""
    return one.wins + one.losses + one.ties


def share_text(share: float | None) -> str:
    """Returns a share in two digits, as the paper prints it.

    Example:
        >>> share_text(0.5), share_text(None)
        ('0.50', '–')
    """
    return DASH if share is None else f"{share:.2f}"


def range_text(low: float | None, high: float | None, digits: int = 2) -> str:
    """Returns an interval.

    Example:
        >>> range_text(-0.25, 0.5), range_text(None, None)
        ('−0.25 to 0.50', '–')
    """
    return DASH if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def fit_words(scale: Scale) -> str:
    """Returns how well a scale fits, such as ``deviance 3.5 on 6 degrees of freedom, p = 0.74``."""
    p_value = p_text(scale.p_value)
    freedom = f"{scale.freedom} degree{'s' if scale.freedom != 1 else ''} of freedom"
    shown = f"p < {p_value[1:]}" if p_value.startswith("<") else f"p = {p_value}"
    return f"deviance {scale.deviance:.1f} on {freedom}, {shown}"


def verdict_text(one: Preference) -> str:
    """Returns the preferred method's name, or ``unclear``."""
    return {"first": one.first, "second": one.second, "unclear": "unclear"}[one.verdict]


def preference_table(analysis: Analysis) -> Table:
    """Returns the shares as the paper prints them, preference of the row over the column."""
    rows = [
        (method, *map(share_text, shares))
        for method, shares in zip(analysis.methods, shares_matrix(analysis.methods, analysis.preferences), strict=True)
    ]
    title = f"{analysis.title}: share of answers that prefer the row to the column"
    return Table(title, ("", *analysis.methods), tuple(rows))


def score_table(analysis: Analysis) -> Table:
    """Returns the scores of every model, a row for each method."""
    headings, columns = [""], [tuple(analysis.methods)]
    for scale in analysis.scales:
        headings += [scale.model, "95 % interval"]
        columns.append(tuple(f"{number(one.score, 3)} ± {one.error_clustered:.3f}" for one in scale.scores))
        columns.append(tuple(range_text(one.low, one.high) for one in scale.scores))
    title = "Scores, zero in the mean; errors allow for raters and images"
    return Table(title, tuple(headings), tuple(zip(*columns, strict=True)))


def pair_table(analysis: Analysis) -> Table:
    """Returns every pair with its errors and tests."""
    headings = ("pair", "answers", "share", "±", "± raters, images", "95 % interval", "p", "p clustered", "preferred")
    rows = [
        (
            f"{one.first} or {one.second}",
            str(answers(one)),
            f"{one.share:.3f}",
            f"{one.error:.3f}",
            f"{one.error_clustered:.3f}",
            range_text(one.low, one.high),
            p_text(one.p_holm),
            p_text(one.p_clustered_holm),
            verdict_text(one),
        )
        for one in analysis.preferences
    ]
    return Table("Share of the first; p-values after Holm", headings, tuple(rows))


def agreement_table(metrics: Sequence[Agreement]) -> Table:
    """Returns how far each metric agrees with people."""
    rows = [
        (
            metric.label,
            _with_interval(metric.answers, metric.answers_low, metric.answers_high),
            _with_interval(metric.cells, metric.cells_low, metric.cells_high),
            _with_interval(metric.tau, metric.tau_low, metric.tau_high),
        )
        for metric in metrics
    ]
    title = "Metrics that prefer what people prefer, with 95 % intervals"
    return Table(title, ("metric", "answers", "images", "τ of means"), tuple(rows))


def rater_table(checks: Sequence[RaterCheck]) -> Table:
    """Returns what every rater did by the rules."""
    rows = [
        (
            check.rater,
            str(check.answers),
            share_text(check.catch_share),
            DASH if check.median_seconds is None else f"{check.median_seconds:.2f}",
            share_text(check.side_share),
            share_text(check.repeat_share),
            "no" if check.failed else "yes",
        )
        for check in checks
    ]
    headings = (
        "rater",
        "answers",
        "catch trials right",
        "median seconds",
        "on one side",
        "repeats as before",
        "counts",
    )
    return Table("What every rater did", headings, tuple(rows))


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return DASH
    return number(value, 2) + (f" ({range_text(low, high)})" if low is not None else "")


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in CSV_COLUMNS if hasattr(record, name)}
