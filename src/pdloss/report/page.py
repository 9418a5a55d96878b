"""The page: everything a comparison has to show, in one HTML file that needs nothing beside it."""

import platform
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pdloss import __version__
from pdloss.charts import saving, svg
from pdloss.charts.palette import THEMES, RunStyle, run_styles
from pdloss.charts.plane import NAMED
from pdloss.comparison.grouping import Group
from pdloss.comparison.losses import brief
from pdloss.errors import UserError
from pdloss.files import output, write_text
from pdloss.report import crops, panels, scores, settings
from pdloss.report.export import export
from pdloss.report.headline import contest, headline, perceptual
from pdloss.report.paper_comparison import ComparedTable, PaperRows, paper_comparison
from pdloss.report.planes import DrawnPlane, planes
from pdloss.report.sources import Comparison, read_comparison
from pdloss.tables.numerals import ARROWS, UNKNOWN, number, p_text, rounded
from pdloss.templates import template


@dataclass(frozen=True)
class _Drawings:
    """Every chart of the page."""

    planes: list[DrawnPlane]
    intervals: list[svg.Chart]
    training: list[panels.Panel]
    shares: list[panels.Panel]
    scatters: list[svg.Chart]

    def charts(self) -> list[svg.Chart]:
        framed = [panel.chart for panel in (*self.training, *self.shares)]
        return [*(drawn.chart for drawn in self.planes), *self.intervals, *framed, *self.scatters]


@dataclass(frozen=True)
class _Content:
    """What the page shows."""

    comparison: Comparison
    rows: list[scores.Row]
    strips: list[crops.Strip]
    missing: list[str]
    """Which pictures are not there."""
    drawings: _Drawings
    styles: dict[int, RunStyle]
    paper_tables: list[ComparedTable]
    protocol_differences: list[str]


def write_report(
    runs: Sequence[Path],
    out: Path,
    set_name: str | None = None,
    *,
    paper: bool | PaperRows = False,
    export_to: Path | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Returns the path of the page that compares the runs: ``out/index.html``, readable without anything else.

    Scores, logs and pictures are read from the run folders; neither torch nor a network is needed. Where pictures are
    missing the page goes on without them and says so.

    Args:
        runs: Run folders, each scored by ``pdloss evaluate``; differences are against the first.
        out: Folder for the page; made if absent, an older page of ours is replaced.
        set_name: Which scored set to show; by default, of those in common, the one written last.
        paper: Puts the paper's own tables of the task beside ours, with the differences in protocol; all, or what it
            says.
        export_to: Folder for every figure as SVG and PNG, and every table as LaTeX and CSV.
        overwrite: Replace files that stand there and were not written by us.
        progress: Told of every image whose pictures have been compared, and of how many there are.

    Raises:
        MissingExtraError: If jinja2 or matplotlib is not installed.
        RunError: If a folder is no scored run, or the runs cannot be compared, or the paper has no table of their
            task; the message names the difference.
        ImageError: If a picture cannot be read.
        UserError: If the page cannot be written, or another's file stands in its place.
    """
    page = _template()
    saving.require_matplotlib()
    comparison = read_comparison(runs, set_name)
    paper_tables, protocol_differences = (
        paper_comparison(comparison, paper if isinstance(paper, PaperRows) else PaperRows()) if paper else ([], [])
    )
    path = _refused_early(out, export_to, overwrite)
    strips, missing = crops.strips(comparison, progress)
    styles = run_styles(groups := comparison.groups())
    content = _Content(
        comparison, scores.score_table(comparison), strips, missing, _drawings(comparison, groups, styles), styles,
        paper_tables, protocol_differences,
    )  # fmt: skip
    html = page.render(**_context(content), command=_command(runs, out, comparison.set, bool(paper), export_to))
    if export_to is not None:
        _write(export_to, "--export", partial(_export, export_to, content, overwrite))
    with output(path, overwrite=overwrite):
        _write(path, "--out", lambda: write_text(path, html))
    return path


def _template() -> Any:
    filters: dict[str, Callable[..., Any]] = {
        "shortened": shortened, "drawn": svg.inline, "number": number, "rounded": rounded, "p": p_text,
    }  # fmt: skip
    return template("pdloss.report", "report.html.j2", "report", filters)


def _refused_early(out: Path, export_to: Path | None, overwrite: bool) -> Path:
    """Returns the page's path, having found out now, not after minutes of reading pictures, that it can be written."""
    for folder, option in ((out, "--out"), (export_to, "--export")):
        if folder is not None:
            _write(folder, option, partial(folder.mkdir, parents=True, exist_ok=True))
    with output(path := out / "index.html", overwrite=overwrite):
        return path


def _drawings(comparison: Comparison, groups: Sequence[Group], styles: dict[int, RunStyle]) -> _Drawings:
    return _Drawings(
        planes(comparison, groups, styles),
        panels.intervals(comparison, styles),
        panels.training(comparison, styles),
        panels.shares(comparison, styles),
        panels.scatters(comparison, styles),
    )


def shortened(text: str) -> str:
    """Returns the text with every SHA-256 cut to its first twelve digits; the run's own file keeps them all.

    Example:
        >>> shortened("sha256 " + "0123456789abcdef" * 4 + ", RGB")
        'sha256 0123456789ab…, RGB'
    """
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", text)


def _context(content: _Content) -> dict[str, Any]:
    """Returns what the template shows."""
    comparison = content.comparison
    image_tables = {key: scores.image_table(comparison, key) for key in comparison.metrics}
    losses = [run.loss for run in comparison.runs]
    used = {name: text for run in comparison.runs if run.record for name, text in run.record.weights.items()}
    return {
        "comparison": comparison,
        "headline": headline(comparison),
        "columns": scores.columns(comparison),
        "arrows": ARROWS,
        "unknown": UNKNOWN,
        "rows": content.rows,
        "notes": [*comparison.notes, *content.missing],
        "drawings": content.drawings,
        "styles": content.styles,
        "paper_tables": content.paper_tables,
        "protocol_differences": content.protocol_differences,
        "losses": [brief(loss, losses) for loss in losses],
        "contest": contest(comparison),
        "named": NAMED,
        "perceptual": perceptual(comparison),
        "differing": settings.differing(comparison),
        "shared": settings.shared(comparison),
        "costs": settings.costs(comparison),
        "weights": used,
        "strips": content.strips,
        "tile_scores": _tile_scores(comparison, image_tables),
        "image_tables": image_tables,
        "doubts": _doubts(content.rows, comparison),
        "made": datetime.now().astimezone(),
        "versions": _versions(),
        "themes": THEMES,
    }


def _doubts(rows: Sequence[scores.Row], comparison: Comparison) -> list[str]:
    """Returns why scores of whole sets are not to be trusted, each reason once."""
    said = [
        f"{comparison.metric(key).label}: {cell.note}"
        for row in rows
        for key, cell in zip(scores.columns(comparison), row.cells, strict=True)
        if cell is not None and cell.note
    ]
    return list(dict.fromkeys(said))


def _tile_scores(comparison: Comparison, rows: Mapping[str, Sequence[scores.Row]]) -> Callable[..., Any]:
    """Returns a function from (image, tile) to the (label, cell) scores of the picture the tile was cut from."""
    by_image = {key: {row.name: row for row in rows[key]} for key in comparison.metrics}

    def found(image: str, tile: crops.Tile) -> list[tuple[str, scores.Cell | None]]:
        if tile.kind == "target":
            return []
        column = 0 if tile.run is None else 1 + tile.run
        return [(metric.label, by_image[key][image].cells[column]) for key, metric in comparison.metrics.items()]

    return found


def _export(folder: Path, content: _Content, overwrite: bool) -> None:
    charts = content.drawings.charts()
    export(
        folder,
        content.comparison,
        content.rows,
        charts,
        content.strips,
        content.paper_tables,
        content.protocol_differences,
        overwrite,
    )


def _write(path: Path, option: str, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; choose another folder with {option}"
        ) from None


def _command(runs: Sequence[Path], out: Path, set_name: str, paper: bool, export_to: Path | None) -> str:
    more = [*(["--paper"] if paper else []), *(["--export", str(export_to)] if export_to is not None else [])]
    return shlex.join(["pdloss", "report", *map(str, runs), "--out", str(out), "--set", set_name, *more])


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("matplotlib", "numpy", "pillow", "jinja2")}
    return {"pdloss": __version__, "python": platform.python_version(), **packages}
