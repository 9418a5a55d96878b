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
from pdloss.comparison.grouping import Group
from pdloss.comparison.losses import brief
from pdloss.errors import UserError
from pdloss.files import output, write_text
from pdloss.report import crops, panels, plane, scores, settings, svg
from pdloss.report.export import export
from pdloss.report.headline import contest, headline, perceptual
from pdloss.report.palette import DARK, LIGHT, Ink, run_inks
from pdloss.report.paper_comparison import ComparedTable, paper_comparison
from pdloss.report.sources import Comparison, read_comparison
from pdloss.tables.numerals import ARROWS, UNKNOWN, number, p_text
from pdloss.templates import template


@dataclass(frozen=True)
class _Drawings:
    """Every chart of the page."""

    planes: list[panels.DrawnPlane]
    intervals: list[svg.Chart]
    training: list[panels.Panel]
    shares: list[panels.Panel]
    scatters: list[svg.Chart]

    def charts(self) -> list[svg.Chart]:
        framed = [panel.chart for panel in (*self.training, *self.shares)]
        return [*(drawn.chart for drawn in self.planes), *self.intervals, *framed, *self.scatters]


def write_report(
    runs: Sequence[Path],
    out: Path,
    set_name: str | None = None,
    *,
    paper: bool = False,
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
        paper: Puts the paper's own tables of the task beside ours, with the differences in protocol.
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
    page = template("pdloss.report", "report.html.j2", "report", _filters())
    svg.require_matplotlib()
    comparison = read_comparison(runs, set_name)
    besides, unlike = paper_comparison(comparison) if paper else ([], [])
    for folder, option in ((out, "--out"), (export_to, "--export")):
        if folder is not None:
            _refuse_unwritable(folder, option)
    path = out / "index.html"
    with output(path, overwrite=overwrite):
        pass  # refuses now, not after minutes of reading pictures
    strips, missing = crops.strips(comparison, progress)
    groups = comparison.groups()
    inks = run_inks(groups)
    drawings = _drawings(comparison, groups, inks)
    rows = scores.score_table(comparison)
    context = _context(comparison, rows, strips)
    command = _command(runs, out, comparison.set, paper, export_to)
    html = page.render(
        **context, notes=[*comparison.notes, *missing], drawings=drawings, besides=besides, unlike=unlike, inks=inks,
        command=command,
    )  # fmt: skip
    if export_to is not None:
        _export(export_to, comparison, rows, drawings, strips, besides, unlike, overwrite)
    with output(path, overwrite=overwrite):
        _write(path, "--out", lambda: write_text(path, html))
    return path


def _filters() -> dict[str, Callable[..., Any]]:
    """Returns what the page's template may call, by the names that it has there."""
    return {"shortened": shortened, "drawn": svg.inline, "number": number, "rounded": rounded, "p": p_text}


def _drawings(comparison: Comparison, groups: Sequence[Group], inks: dict[int, Ink]) -> _Drawings:
    return _Drawings(
        panels.planes(comparison, groups, inks),
        panels.intervals(comparison, inks),
        panels.training(comparison, inks),
        panels.shares(comparison, inks),
        panels.scatters(comparison, inks),
    )


def shortened(text: str) -> str:
    """Returns the text with every SHA-256 cut to its first twelve digits; the run's own file keeps them all.

    Example:
        >>> shortened("sha256 " + "0123456789abcdef" * 4 + ", RGB")
        'sha256 0123456789ab…, RGB'
    """
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", text)


def rounded(text: str) -> str:
    """Returns the text with long decimal fractions cut to four digits.

    Example:
        >>> rounded("noise(sigma=0.19607843137254902), seed 0")
        'noise(sigma=0.1961), seed 0'
    """
    return re.sub(r"\b\d+\.\d{6,}\b", lambda match: f"{float(match[0]):.4g}", text)


def _context(comparison: Comparison, rows: Sequence[scores.Row], strips: Sequence[crops.Strip]) -> dict[str, Any]:
    """Returns what the template shows, charts and warnings aside."""
    image_tables = {key: scores.image_table(comparison, key) for key in comparison.metrics}
    losses = [run.loss for run in comparison.runs]
    used = {name: text for run in comparison.runs if run.record for name, text in run.record.weights.items()}
    return {
        "comparison": comparison,
        "headline": headline(comparison),
        "columns": scores.columns(comparison),
        "arrows": ARROWS,
        "unknown": UNKNOWN,
        "rows": rows,
        "losses": [brief(loss, losses) for loss in losses],
        "contest": contest(comparison),
        "named": plane.NAMED,
        "perceptual": perceptual(comparison),
        "differing": settings.differing(comparison),
        "shared": settings.shared(comparison),
        "costs": settings.costs(comparison),
        "weights": used,
        "strips": strips,
        "tile_scores": _tile_scores(comparison, image_tables),
        "image_tables": image_tables,
        "doubts": _doubts(rows, comparison),
        "made": datetime.now().astimezone(),
        "versions": _versions(),
        "themes": {"light": LIGHT, "dark": DARK},
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


def _export(
    folder: Path,
    comparison: Comparison,
    rows: Sequence[scores.Row],
    drawings: _Drawings,
    strips: Sequence[crops.Strip],
    besides: Sequence[ComparedTable],
    unlike: Sequence[str],
    overwrite: bool,
) -> None:
    write = partial(
        export, folder, comparison, rows, drawings.charts(), strips, besides, unlike=unlike, overwrite=overwrite
    )
    _write(folder, "--export", write)


def _refuse_unwritable(folder: Path, option: str) -> None:
    """Finds out now, not after minutes of reading pictures."""
    _write(folder, option, lambda: folder.mkdir(parents=True, exist_ok=True))


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
