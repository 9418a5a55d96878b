"""The report's figures and tables as files for other documents: SVG, PNG, LaTeX and CSV."""

from collections.abc import Sequence
from pathlib import Path

from pdloss.charts import svg
from pdloss.charts.saving import files_beside
from pdloss.files import name_inside, output, write_text
from pdloss.report.crop_panels import PanelTile, save_panel
from pdloss.report.crops import Strip
from pdloss.report.paper_comparison import ComparedCell, ComparedTable
from pdloss.report.scores import Cell as ScoreCell
from pdloss.report.scores import Row, columns
from pdloss.report.sources import Comparison
from pdloss.tables.csv_text import csv_text
from pdloss.tables.latex import escaped, latex
from pdloss.tables.numerals import DASH, heading
from pdloss.tables.table import Cell, Table


def export(
    folder: Path,
    comparison: Comparison,
    rows: Sequence[Row],
    charts: Sequence[svg.Chart],
    strips: Sequence[Strip],
    paper_tables: Sequence[ComparedTable],
    protocol_differences: Sequence[str] = (),
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
    texts = _texts(comparison, rows, paper_tables, protocol_differences)
    panels = {name_inside(folder, f"crops-{comparison.called[strip.image]}", "the image"): strip for strip in strips}
    files = [path for chart in charts for path in svg.files(chart, folder)]
    files += [path for panel in panels for path in files_beside(panel)] + [folder / name for name in texts]
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
    comparison: Comparison,
    rows: Sequence[Row],
    paper_tables: Sequence[ComparedTable],
    protocol_differences: Sequence[str],
) -> dict[str, str]:
    """Returns the tables by the names of their files."""
    texts = {
        "scores.csv": scores_csv(comparison, rows),
        "scores.tex": latex([scores_table(comparison, rows)]),
        "images.csv": images_csv(comparison),
    }
    for number, table in enumerate(paper_tables, start=1):
        texts[f"paper-{number}.csv"] = paper_csv(table, protocol_differences)
        texts[f"paper-{number}.tex"] = paper_latex(table, protocol_differences)
    return texts


def scores_csv(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Returns a line per run and metric: mean, interval, whether it is best, and whether it is tied with the best."""
    lines: list[dict[str, object]] = []
    for row in rows:
        for key, cell in zip(columns(comparison), row.cells, strict=True):
            if cell is not None:
                fields = {
                    name: getattr(cell, name) for name in ("mean", "low", "high", "note", "equal", "without_equal")
                }
                marks = {name: "yes" if getattr(cell, name) else "" for name in ("best", "tied")}
                lines.append({"run": row.name, "metric": key, **fields, **marks})
    heads = ["run", "metric", "mean", "low", "high", "best", "tied", "note", "equal", "without_equal"]
    return csv_text(heads, lines)


def scores_table(comparison: Comparison, rows: Sequence[Row]) -> Table:
    """Returns the means with their intervals beneath; best ones bold, those not told apart from them in italics."""
    keys = columns(comparison)
    return Table(
        "",
        ("", *(heading(comparison.metric(key)) for key in keys)),
        tuple((row.name, *map(_marked, row.cells)) for row in rows),
        remarks=tuple(f"{comparison.metric(key).label}: {comparison.metric(key).protocol}" for key in keys),
    )


def _marked(cell: ScoreCell | None) -> Cell:
    return Cell(DASH) if cell is None else Cell(cell.text, cell.best, cell.tied and not cell.best, cell.under)


def images_csv(comparison: Comparison) -> str:
    """Returns a line per image and run, with a column for each metric."""
    keys = list(comparison.metrics)
    rows: list[dict[str, object]] = [
        {"image": name, "run": run.name} | {key: run.by_image[name].restored[key] for key in keys}
        for name in comparison.images
        for run in comparison.runs
    ]
    return csv_text(["image", "run", *keys], rows)


def compared_table(table: ComparedTable, protocol_differences: Sequence[str] = ()) -> Table:
    """Returns the paper's table with ours in it; changes and intervals stand beneath, below it what to know of it."""
    rows: list[tuple[str | Cell, ...]] = [
        (row.source, row.loss, row.weight, row.remark, *map(_compared, row.cells)) for row in table.rows
    ]
    headings = ("", "loss", "weight", "", *table.columns)
    return Table(table.title, headings, tuple(rows), left=4, remarks=(*table.verdict, *protocol_differences))


def _compared(cell: ComparedCell) -> Cell:
    return Cell(cell.text, note="; ".join(filter(None, (cell.change, cell.under))))


def paper_csv(table: ComparedTable, protocol_differences: Sequence[str]) -> str:
    """Returns a line per row, with each score, and for ours its interval and spread in a column beside it."""
    heads = ["source", "loss", "weight", "remark", *(h for name in table.columns for h in (name, f"{name} sure"))]
    rows = [
        dict(zip(heads, (row.source, row.loss, row.weight, row.remark,
                         *(text for cell in row.cells for text in (cell.text, cell.under))), strict=True))
        for row in table.rows
    ]  # fmt: skip
    said = [("verdict", sentence) for sentence in table.verdict]
    said += [("differs", sentence) for sentence in protocol_differences]
    return csv_text(heads, [*rows, *({"source": kind, "loss": sentence} for kind, sentence in said)])


def paper_latex(table: ComparedTable, protocol_differences: Sequence[str]) -> str:
    """Returns the table, and below it in small type what keeps its numbers from being compared one to one."""
    text = latex([compared_table(table, protocol_differences)])
    if not protocol_differences:
        return text
    items = "".join(f"\\item {escaped(sentence)}\n" for sentence in protocol_differences)
    return f"{text}\n\\par\\smallskip\n{{\\footnotesize These numbers do not measure the same thing:\n" + (
        f"\\begin{{itemize}}\n{items}\\end{{itemize}}}}\n"
    )
