"""The report's figures and tables as files for other documents: SVG, PNG, LaTeX and CSV."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pdloss.files import name_inside, output, write_text
from pdloss.report import svg
from pdloss.report.crop_panels import PanelTile, panel_files, save_panel
from pdloss.report.crops import Strip
from pdloss.report.paper_comparison import ComparedTable
from pdloss.report.scores import Row, columns
from pdloss.report.sources import Comparison
from pdloss.tables.latex import escaped, tabular
from pdloss.tables.numerals import heading

_BOOKTABS = "needs \\usepackage{booktabs}"


def export(
    folder: Path,
    comparison: Comparison,
    rows: Sequence[Row],
    charts: Sequence[svg.Chart],
    strips: Sequence[Strip],
    besides: Sequence[ComparedTable],
    unlike: Sequence[str] = (),
    overwrite: bool = False,
) -> list[Path]:
    """Writes every figure as SVG and PNG, every table as LaTeX and CSV, and returns the paths.

    The LaTeX tables have the rules of the package ``booktabs``; best scores are bold, those not told apart from them in
    italics. What keeps the paper's numbers and ours from being compared stands in the paper's tables: as comments
    and beneath the rows in LaTeX, in rows of the source ``differs`` in CSV.

    Raises:
        OSError: If a file cannot be written.
        UserError: If a file stands there that was not written by us, and `overwrite` is not given; none is written.
    """
    texts = _texts(comparison, rows, besides, unlike)
    panels = {name_inside(folder, f"crops-{comparison.called[strip.image]}", "the image"): strip for strip in strips}
    files = [path for chart in charts for path in svg.files(chart, folder)]
    files += [path for panel in panels for path in panel_files(panel)] + [folder / name for name in texts]
    with output(*files, overwrite=overwrite, option="--export"):
        for chart in charts:
            svg.save(chart, folder)
        for panel, strip in panels.items():
            shown = [PanelTile(tile.label, "", tile.picture) for tile in strip.tiles]
            save_panel(shown, panel, side=(strip.window.height, strip.window.width), overwrite=True)
        for name, text in texts.items():
            write_text(folder / name, text)
    return files


def _texts(
    comparison: Comparison, rows: Sequence[Row], besides: Sequence[ComparedTable], unlike: Sequence[str]
) -> dict[str, str]:
    """Returns the tables by the names of their files."""
    texts = {
        "scores.csv": scores_csv(comparison, rows),
        "scores.tex": scores_latex(comparison, rows),
        "images.csv": images_csv(comparison),
    }
    for number, table in enumerate(besides, start=1):
        heads = ["source", "loss", "weight", *table.columns]
        empty = [""] * (len(heads) - 2)
        texts[f"paper-{number}.csv"] = _csv(
            [heads, *_compared_rows(table), *(["differs", sentence, *empty] for sentence in unlike)]
        )
        texts[f"paper-{number}.tex"] = _paper_latex(table, unlike)
    return texts


def scores_csv(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Returns a line per run and metric: mean, interval, whether it is best, and whether it is tied with the best."""
    heads = ["run", "metric", "mean", "low", "high", "best", "tied", "note", "equal", "without_equal"]
    lines: list[list[str]] = [heads]
    for row in rows:
        for key, cell in zip(columns(comparison), row.cells, strict=True):
            if cell is not None:
                bounds = ["" if bound is None else repr(bound) for bound in (cell.low, cell.high)]
                marks = ["yes" if mark else "" for mark in (cell.best, cell.tied)]
                without = "" if cell.without_equal is None else repr(cell.without_equal)
                lines.append(
                    [row.name, key, repr(cell.mean), *bounds, *marks, cell.note or "", str(cell.equal), without]
                )
    return _csv(lines)


def scores_latex(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Returns the table of means; intervals stand in small type beneath the means."""
    heads = [heading(comparison.metric(key)) for key in columns(comparison)]
    body = []
    for row in rows:
        cells = []
        for cell in row.cells:
            text = "--" if cell is None else escaped(cell.text)
            cells.append(
                rf"\textbf{{{text}}}" if cell and cell.best else rf"\textit{{{text}}}" if cell and cell.tied else text
            )
        body.append([escaped(row.name), *cells])
        under = ["" if cell is None else cell.under for cell in row.cells]
        if any(under):
            body.append(["", *(rf"{{\scriptsize {escaped(text)}}}" if text else "" for text in under)])
    how = [f"{comparison.metric(key).label}: {comparison.metric(key).protocol}" for key in columns(comparison)]
    return _comments([_BOOKTABS, *how]) + tabular(["", *heads], body)


def images_csv(comparison: Comparison) -> str:
    """Returns a line per image and run, with a column for each metric."""
    keys = list(comparison.metrics)
    lines = [["image", "run", *keys]]
    for name in comparison.images:
        lines += [
            [name, run.name, *(repr(run.by_image[name].restored[key]) for key in keys)] for run in comparison.runs
        ]
    return _csv(lines)


def _compared_rows(table: ComparedTable) -> list[list[str]]:
    return [[row.source, row.loss, row.weight, *(cell.text for cell in row.cells)] for row in table.rows]


def _paper_latex(table: ComparedTable, unlike: Sequence[str]) -> str:
    rows = [list(map(escaped, row)) for row in _compared_rows(table)]
    text = _comments([_BOOKTABS, table.title, *unlike])
    text += tabular(["", "loss", "weight", *table.columns], rows, left=3)
    if not unlike:
        return text
    items = "".join(f"\\item {escaped(sentence)}\n" for sentence in unlike)
    return f"{text}\n\\par\\smallskip\n{{\\footnotesize These numbers do not measure the same thing:\n" + (
        f"\\begin{{itemize}}\n{items}\\end{{itemize}}}}\n"
    )


def _comments(lines: Sequence[str]) -> str:
    return "".join(f"% {line}\n" for line in lines)


def _csv(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()
