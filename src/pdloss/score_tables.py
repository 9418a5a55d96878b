"""Scores as tables: means over images in rows and columns, as Markdown and LaTeX; every single value as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pdloss.records import Metric, Scores, SetScore, mean_scores

_ARROWS = {"higher": "↑", "lower": "↓", "zero": "→ 0"}
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\to$",
    "±": r"$\pm$", "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


_Means = Mapping[str, SetScore]
"""Values by metric: means over images, and scores of whole sets."""


@dataclass(frozen=True)
class Cell:
    """One score as text."""

    text: str
    best: bool = False
    """Whether no other run on the same inputs has a better one, as it is shown."""


@dataclass(frozen=True)
class Row:
    """The scores of one run, or of the input of the runs below it, in the order of the columns."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """The scores of runs on one set."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]
    """How each column is to be read, and what is to be said of single values."""


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


def heading(metric: Metric) -> str:
    """Returns a column's name, with its unit and an arrow towards the better values.

    Example:
        >>> heading(Metric(label="PSNR", unit="dB", better="higher", protocol=""))
        'PSNR (dB) ↑'
    """
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''} {_ARROWS[metric.better]}"


def markdown(shown: Sequence[Table]) -> str:
    """Returns the tables in GitHub's Markdown, best values bold, each with its remarks below."""
    parts = []
    for table in shown:
        lines = ["| | " + " | ".join(map(_markdown, table.columns)) + " |", "|---|" + "---:|" * len(table.columns)]
        for row in table.rows:
            cells = [f"**{_markdown(cell.text)}**" if cell.best else _markdown(cell.text) for cell in row.cells]
            lines.append("| " + " | ".join([_markdown(row.name), *cells]) + " |")
        remarks = [f"- {_markdown(remark)}" for remark in table.remarks]
        parts.append("\n".join([f"**{_markdown(table.caption)}**", "", *lines, "", *remarks]) + "\n")
    return "\n".join(parts)


def latex(shown: Sequence[Table]) -> str:
    """Returns the tables as LaTeX ``tabular``s with the rules of the package ``booktabs``, best values bold."""
    parts = ["% needs \\usepackage{booktabs}\n"]
    for table in shown:
        lines = [f"% {line}" for line in (table.caption, *table.remarks)]
        lines += [f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule"]
        lines += [" & ".join(["", *map(_latex, table.columns)]) + r" \\", r"\midrule"]
        for row in table.rows:
            cells = [rf"\textbf{{{_latex(cell.text)}}}" if cell.best else _latex(cell.text) for cell in row.cells]
            lines.append(" & ".join([_latex(row.name), *cells]) + r" \\")
        parts.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n")
    return "\n".join(parts)


def csv_text(results: Sequence[Scores]) -> str:
    """Returns one line for every picture, restored or degraded, with a column for each metric; values in full.

    Metrics of whole sets stand in lines without an image, whose column is then empty, as are all without a value.
    """
    names = list(dict.fromkeys(name for scores in results for name in (*scores.metrics, *scores.set_metrics)))
    out = io.StringIO()
    writer = csv.DictWriter(out, ["set", "run", "picture", "image", *names], restval="", lineterminator="\n")
    writer.writeheader()
    for scores in results:
        for kind, of_images, of_set in _kinds(scores):
            where = {"set": scores.set, "run": scores.run, "picture": kind}
            for image, values in zip(scores.images, of_images, strict=True):
                if values:
                    writer.writerow({**where, "image": image.name, **values})
            if of_set:
                writer.writerow({**where, **{name: score.value for name, score in of_set.items()}})
    return out.getvalue()


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
    shown = {row.name for row in rows}
    remarks = [f"{metric.label}: {metric.protocol}{_weights(metric)}" for metric in metrics.values()]
    return Table(
        caption=f"{results[0].set}, {images}, means",
        columns=tuple(heading(metric) for metric in metrics.values()),
        rows=tuple(rows),
        remarks=(
            *(f"{name}: {how}" for how, name in called.items() if name in shown),
            *remarks,
            *_doubts(results, metrics),
            *_networks(results),
        ),
    )


def _rows(called: str, results: Sequence[Scores], metrics: Mapping[str, Metric]) -> list[Row]:
    """Returns the rows of runs that restored the same inputs, and before them the inputs' own, if they have scores."""
    of_inputs: dict[str, SetScore] = {}
    for scores in results:
        of_inputs |= _means(scores)[0]
    names = [scores.run for scores in results]
    values: list[_Means] = [_means(scores)[1] for scores in results]
    columns = [_column([of_inputs, *values], name, metric) for name, metric in metrics.items()]
    lines = list(zip(*columns, strict=True)) if columns else [()] * (1 + len(results))
    rows = [Row(name, cells) for name, cells in zip([called, *names], lines, strict=True)]
    return rows if of_inputs else rows[1:]


def _column(values: Sequence[_Means], name: str, metric: Metric) -> list[Cell]:
    """Returns the cells of one metric; the first, the input's, is in no contest for the best."""
    found = [means.get(name) for means in values]
    sizes = [abs(score.value) for score in found if score is not None]
    largest = max(sizes, default=0)
    digits = 2 if largest >= 2 else 4 if largest >= 0.01 else 6
    costs = [None if score is None else _cost(score.value, digits, metric) for score in found]
    known = [cost for cost in costs[1:] if cost is not None]
    best = min(known) if len(known) > 1 else None
    return [
        Cell("-" if score is None else _number(score, digits), index > 0 and cost is not None and cost == best)
        for index, (score, cost) in enumerate(zip(found, costs, strict=True))
    ]


def _cost(value: float, digits: int, metric: Metric) -> float:
    """Returns a value as it is shown, turned so that less is better."""
    shown = round(value, digits)
    return -shown if metric.better == "higher" else abs(shown) if metric.better == "zero" else shown


def _number(score: SetScore, digits: int) -> str:
    error = "" if score.error is None else f" ± {score.error:.{digits}f}"
    return f"{score.value:.{digits}f}{error}{'*' if score.note else ''}"


def _kinds(scores: Scores) -> list[tuple[str, list[dict[str, float]], dict[str, SetScore]]]:
    return [
        ("degraded", [image.degraded for image in scores.images], scores.degraded_sets),
        ("restored", [image.restored for image in scores.images], scores.sets),
    ]


def _means(scores: Scores) -> list[dict[str, SetScore]]:
    """Returns the scores of the inputs, and those of the restored images."""
    return [
        {name: SetScore(value=mean) for name, mean in mean_scores(of_images).items()} | of_set
        for _, of_images, of_set in _kinds(scores)
    ]


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


def _markdown(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
