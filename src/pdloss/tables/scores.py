"""Scores as tables: means over images in rows and columns; and every single value as CSV."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pdloss.records import Metric, Scores, SetScore, equal_pairs
from pdloss.tables.csv_text import csv_text
from pdloss.tables.numerals import DASH, best_of, decimals, equal_text, heading, number
from pdloss.tables.table import Cell, Table


class _Value(NamedTuple):
    """A mean over images, or the score of a whole set."""

    value: float
    error: float | None = None
    note: str | None = None
    equal: int = 0
    """How many images equal their targets."""
    without_equal: float | None = None
    """The mean of the others."""


_Values = Mapping[str, _Value]
"""By metric."""


def tables(results: Sequence[Scores], names: Sequence[str] | None = None) -> list[Table]:
    """Returns a table for each set: a row for every degraded input, then one for each run that restored it.

    Args:
        results: Scores of any runs on any sets.
        names: Which metrics to show; by default all.
    """
    sets: dict[str, list[Scores]] = {}
    for scores in results:
        sets.setdefault(scores.set, []).append(scores)
    return [_table(of_set, names) for of_set in sets.values()]


def values_csv(results: Sequence[Scores]) -> str:
    """Returns one line for every picture, restored or degraded, with a column for each metric; values in full.

    Metrics of whole sets stand in lines without an image, whose column is then empty, as are all without a value. The
    column ``equal`` says of which pictures a ratio in decibels is infinite: they equal what they are compared with.
    """
    names = list(dict.fromkeys(name for scores in results for name in (*scores.metrics, *scores.set_metrics)))
    rows: list[dict[str, object]] = []
    for scores in results:
        for kind, of_images, of_set in _kinds(scores):
            where = {"set": scores.set, "run": scores.run, "picture": kind}
            for image, values in zip(scores.images, of_images, strict=True):
                if values:
                    equal = any(equal_pairs(scores.metrics[name], [value])[0] for name, value in values.items())
                    rows.append({**where, "image": image.name, **values, "equal": "yes" if equal else ""})
            if of_set:
                rows.append({**where, **{name: score.value for name, score in of_set.items()}})
    return csv_text(["set", "run", "picture", "image", *names, "equal"], rows)


def _table(results: Sequence[Scores], names: Sequence[str] | None) -> Table:
    metrics: dict[str, Metric] = {}
    for scores in results:
        metrics |= scores.metrics | scores.set_metrics
    metrics = {name: metrics[name] for name in dict.fromkeys(names or metrics) if name in metrics}
    counts = sorted({len(scores.images) for scores in results})
    images = f"{' or '.join(map(str, counts))} {'image' if counts == [1] else 'images'}"
    inputs: dict[str, list[Scores]] = {}
    for scores in results:
        inputs.setdefault(scores.degradation, []).append(scores)
    called = {how: "input" if len(inputs) == 1 else f"input {number}" for number, how in enumerate(inputs, start=1)}
    rows = [row for how, of_input in inputs.items() for row in _rows(called[how], of_input, metrics)]
    shown = {row[0] for row in rows}
    remarks = [f"{metric.label}: {metric.protocol}{_weights(metric)}" for metric in metrics.values()]
    return Table(
        title=f"{results[0].set}, {images}, means",
        headings=("", *(heading(metric) for metric in metrics.values())),
        rows=tuple(rows),
        remarks=(
            *(f"{name}: {how}" for how, name in called.items() if name in shown),
            *remarks,
            *_doubts(results, metrics),
            *_networks(results),
        ),
    )


def _rows(called: str, results: Sequence[Scores], metrics: Mapping[str, Metric]) -> list[tuple[str | Cell, ...]]:
    """Returns the rows of runs that restored the same inputs, and before them the inputs' own, if they have scores."""
    of_inputs: dict[str, _Value] = {}
    for scores in results:
        of_inputs |= _values(scores)[0]
    names = [scores.run for scores in results]
    values = [_values(scores)[1] for scores in results]
    columns = [_column([of_inputs, *values], name, metric) for name, metric in metrics.items()]
    rows = list(zip([called, *names], *columns, strict=True))
    return rows if of_inputs else rows[1:]


def _column(values: Sequence[_Values], name: str, metric: Metric) -> list[Cell]:
    """Returns the cells of one metric; the first, the input's, is in no contest for the best."""
    found = [means.get(name) for means in values]
    digits = decimals(*(score.value for score in found if score is not None))
    best = best_of([None if score is None else score.value for score in found[1:]], metric, digits)
    texts = [DASH if score is None else _text(score, digits) for score in found]
    return [Cell(text, bold) for text, bold in zip(texts, [False, *best], strict=True)]


def _text(score: _Value, digits: int) -> str:
    error = "" if score.error is None else f" ± {score.error:.{digits}f}"
    equal = f" ({equal_text(score.equal, score.without_equal, digits)})" if score.equal else ""
    return f"{number(score.value, digits)}{error}{'*' if score.note else ''}{equal}"


def _kinds(scores: Scores) -> list[tuple[str, list[dict[str, float]], dict[str, SetScore]]]:
    return [
        ("degraded", [image.degraded for image in scores.images], scores.degraded_sets),
        ("restored", [image.restored for image in scores.images], scores.sets),
    ]


def _values(scores: Scores) -> list[dict[str, _Value]]:
    """Returns the scores of the inputs, and those of the restored images."""
    return [
        {name: _mean(scores.metrics[name], [values[name] for values in of_images]) for name in of_images[0]}
        | {name: _Value(score.value, score.error, score.note) for name, score in of_set.items()}
        if of_images
        else {}
        for _, of_images, of_set in _kinds(scores)
    ]


def _mean(metric: Metric, values: Sequence[float]) -> _Value:
    others = [value for value, equal in zip(values, equal_pairs(metric, values), strict=True) if not equal]
    count = len(values) - len(others)
    without = sum(others) / len(others) if count and others else None
    return _Value(sum(values) / len(values), equal=count, without_equal=without)


def _weights(metric: Metric) -> str:
    """Returns the weights of a metric with the beginning of their hashes, as far as they are known."""
    return "".join(f"; {name}, {text.partition(';')[0][:15]}" for name, text in metric.weights.items())


def _doubts(results: Sequence[Scores], metrics: Mapping[str, Metric]) -> list[str]:
    """Returns what is to be said of the scores of whole sets, each once."""
    found: dict[str, None] = {}
    for scores in results:
        for name, score in (*scores.degraded_sets.items(), *scores.sets.items()):
            if score.note and name in metrics:
                found[f"* {metrics[name].label}: {score.note}"] = None
    return list(found)


def _networks(results: Sequence[Scores]) -> list[str]:
    known = [f"{s.run} {s.weights_sha256[:8]} (step {s.step})" for s in results if s.weights_sha256]
    return [f"weights, sha256: {', '.join(known)}"] if known else []
