"""The report's figures and tables as files for other documents: SVG, PNG, LaTeX and CSV."""

import csv
import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pdloss.files import write_atomically
from pdloss.report import svg
from pdloss.report.beside import Beside
from pdloss.report.crop_panels import PanelTile, save_panel
from pdloss.report.crops import Strip
from pdloss.report.scores import ARROWS, DASH, MINUS, Row, columns
from pdloss.report.sources import Comparison

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
    "→": r"$\rightarrow$", "±": r"$\pm$", "·": r"$\cdot$", MINUS: "$-$", "≈": r"$\approx$", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", DASH: "--", "\N{HAIR SPACE}": "", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip


def export(
    folder: Path,
    comparison: Comparison,
    rows: Sequence[Row],
    charts: Sequence[svg.Chart],
    strips: Sequence[Strip],
    besides: Sequence[Beside],
) -> list[Path]:
    """Writes every figure as SVG and PNG, every table as LaTeX and CSV, and returns the paths.

    The LaTeX tables are plain ``tabular``s that need no package; best scores are bold, those not told apart from them
    in italics.

    Raises:
        OSError: If a file cannot be written.
    """
    paths = [path for chart in charts for path in svg.save(chart, folder)]
    for strip in strips:
        shown = [PanelTile(tile.label, "", tile.picture) for tile in strip.tiles]
        side = strip.window.height, strip.window.width
        paths += save_panel(shown, folder / f"crops-{comparison.called[strip.image]}", side=side)
    texts = {
        "scores.csv": scores_csv(comparison, rows),
        "scores.tex": scores_latex(comparison, rows),
        "images.csv": images_csv(comparison),
    }
    for number, table in enumerate(besides, start=1):
        texts[f"paper-{number}.csv"] = _csv([["source", "loss", "weight", *table.columns], *_beside_rows(table)])
        texts[f"paper-{number}.tex"] = _tabular(
            ["", "loss", "weight", *table.columns], _escaped(_beside_rows(table)), 3
        )
    for name, text in texts.items():
        write_atomically(folder / name, partial(_write, text))
        paths.append(folder / name)
    return paths


def scores_csv(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Returns a line per run and metric: mean, interval, whether it is best, and whether it is tied with the best."""
    lines: list[list[str]] = [["run", "metric", "mean", "low", "high", "best", "tied", "note"]]
    for row in rows:
        for key, cell in zip(columns(comparison), row.cells, strict=True):
            if cell is not None:
                bounds = ["" if bound is None else repr(bound) for bound in (cell.low, cell.high)]
                marks = ["yes" if mark else "" for mark in (cell.best, cell.tied)]
                lines.append([row.name, key, repr(cell.mean), *bounds, *marks, cell.note or ""])
    return _csv(lines)


def scores_latex(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Returns the table of means as a plain ``tabular``; intervals stand in small type beneath the means."""
    heads = [_name(comparison, key) for key in columns(comparison)]
    body = []
    for row in rows:
        cells = []
        for cell in row.cells:
            text = "--" if cell is None else _latex(cell.text)
            cells.append(
                rf"\textbf{{{text}}}" if cell and cell.best else rf"\textit{{{text}}}" if cell and cell.tied else text
            )
        body.append([_latex(row.name), *cells])
        under = ["" if cell is None else cell.under for cell in row.cells]
        if any(under):
            body.append(["", *(rf"{{\scriptsize {_latex(text)}}}" if text else "" for text in under)])
    how = [f"{comparison.metric(key).label}: {comparison.metric(key).protocol}" for key in columns(comparison)]
    return "".join(f"% {line}\n" for line in how) + _tabular(["", *heads], body, 1)


def images_csv(comparison: Comparison) -> str:
    """Returns a line per image and run, with a column for each metric."""
    keys = list(comparison.metrics)
    lines = [["image", "run", *keys]]
    for name in comparison.images:
        lines += [
            [name, run.name, *(repr(run.by_image[name].restored[key]) for key in keys)] for run in comparison.runs
        ]
    return _csv(lines)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _name(comparison: Comparison, key: str) -> str:
    metric = comparison.metric(key)
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''} {ARROWS[metric.better]}"


def _beside_rows(table: Beside) -> list[list[str]]:
    return [[row.source, row.loss, row.weight, *(cell.text for cell in row.cells)] for row in table.rows]


def _escaped(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[_latex(cell) for cell in row] for row in rows]


def _tabular(heads: Sequence[str], body: Sequence[Sequence[str]], left: int) -> str:
    """Returns rows that are LaTeX already, beneath heads that are not."""
    lines = [rf"\begin{{tabular}}{{{'l' * left}{'r' * (len(heads) - left)}}}", r"\hline"]
    lines += [" & ".join(map(_latex, heads)) + r" \\", r"\hline"]
    lines += [" & ".join(row) + r" \\" for row in body]
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def _csv(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
