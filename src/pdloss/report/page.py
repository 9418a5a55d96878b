"""The page: everything a comparison has to show, in one HTML file that needs nothing beside it."""

import platform
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pdloss import __version__
from pdloss.errors import MissingExtraError, UserError
from pdloss.files import write_atomically
from pdloss.records import LogLine
from pdloss.report import crops, figures, svg, tables
from pdloss.report.sources import Comparison, ScoredRun, read_comparison

CROPPED_IMAGES = 6


def write_report(
    runs: Sequence[Path],
    out: Path,
    set_name: str | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Returns the path of the page that compares the runs: ``out/index.html``, readable without anything else.

    Scores, logs and pictures are read from the run folders; neither torch nor a network is needed. Where pictures are
    missing the page goes on without them and says so.

    Args:
        runs: Run folders, each scored by ``pdloss evaluate``; differences are against the first.
        out: Folder for the page; made if absent, an older page is replaced.
        set_name: Which scored set to show; by default the only one that all runs share.
        progress: Told of every image whose pictures have been compared, and of how many there are.

    Raises:
        MissingExtraError: If jinja2 or matplotlib is not installed.
        RunError: If a folder is no scored run, or the runs cannot be compared; the message names the difference.
        ImageError: If a picture cannot be read.
        UserError: If the page cannot be written.
    """
    template = _template()
    svg.require_matplotlib()
    path = out / "index.html"
    comparison = read_comparison(runs, set_name)
    _refuse_unwritable(out)
    strips, missing = crops.strips(comparison, CROPPED_IMAGES, progress)
    image_tables = {key: tables.image_table(comparison, key) for key in comparison.metrics}
    html = template.render(
        comparison=comparison,
        headline=tables.headline(comparison),
        notes=[*comparison.notes, *missing],
        rows=tables.score_table(comparison),
        scatter=_scatter(comparison),
        panels=_panels(comparison),
        strips=strips,
        tile_scores=_tile_scores(comparison, image_tables),
        image_tables=image_tables,
        made=datetime.now().astimezone(),
        command=_command(runs, out, comparison.set),
        versions=_versions(),
    )
    try:
        write_atomically(path, lambda temporary: temporary.write_text(html, encoding="utf-8"))
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def _template() -> Any:
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError("jinja2", "report") from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pdloss.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"shortened": shortened, "series": lambda run: f"var(--s{run % svg.COLOURS})"}
    return environment.get_template("report.html.j2")


def shortened(text: str) -> str:
    """Returns the text with every SHA-256 cut to its first twelve digits; the run's own file keeps them all.

    Example:
        >>> shortened("sha256 " + "0123456789abcdef" * 4 + ", RGB")
        'sha256 0123456789ab…, RGB'
    """
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", text)


def _refuse_unwritable(out: Path) -> None:
    """Finds out now, not after minutes of reading pictures."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(f"cannot write {path}: {error.strerror or error}; choose another folder with --out")


def _scatter(comparison: Comparison) -> dict[str, Any] | None:
    """Returns the trade-off's figure, with the degraded input in it unless that would dwarf the runs' differences."""
    keys = tables.trade_off(comparison)
    if keys is None or len(comparison.runs) < 2:
        return None
    x, y = (comparison.metrics[key] for key in keys)
    points = [
        figures.Point(run.name, i, *(float(comparison.restored(run, key).mean()) for key in keys))
        for i, run in enumerate(comparison.runs)
    ]
    front = [point.label for point in figures.undominated(points, x, y)]
    degraded = [comparison.degraded(key) for key in keys]
    outside = None
    if degraded[0] is not None and degraded[1] is not None:
        point = figures.Point("degraded input", None, float(degraded[0].mean()), float(degraded[1].mean()))
        if figures.dwarfs(point, points):
            outside = " and ".join(
                f"{metric.label} {tables.number(value, tables.decimals(comparison, key))}"
                for metric, key, value in zip((x, y), keys, (point.x, point.y), strict=True)
            )
        else:
            points.append(point)
    return {"svg": figures.scatter_svg(points, x, y, "trade-off"), "x": x, "y": y, "front": front, "outside": outside}


def _panels(comparison: Comparison) -> list[dict[str, str]]:
    """Returns one panel per loss term, one per term's gradient norm, one per critic, and the learning rate."""
    logged = [(i, run) for i, run in enumerate(comparison.runs) if run.log]
    if not logged:
        return []
    terms = list(dict.fromkeys(term for _, run in logged for line in run.log for term in line.terms))
    pulled = list(dict.fromkeys(term for _, run in logged for line in run.log for term in line.gradients))
    learning = list(dict.fromkeys(term for _, run in logged for line in run.log for term in line.learners))
    wanted: list[tuple[str, str, Callable[[LogLine], float | None], bool]] = [
        *((term, "value, before its weight", lambda line, t=term: line.terms.get(t), True) for term in terms),
        *((term, "norm of its weighted gradient", lambda line, t=term: line.gradients.get(t), True) for term in pulled),
        *((term, "its critic's own loss", lambda line, t=term: line.learners.get(t), False) for term in learning),
        ("learning rate", "", lambda line: line.lr, False),
    ]
    panels = []
    for number, (title, subtitle, value, logarithmic) in enumerate(wanted):
        curves = [curve for i, run in logged if (curve := _curve(i, run, value))]
        drawn = figures.curves_svg(curves, f"panel-{number}", f"{title} {subtitle} against steps", logarithmic)
        panels.append({"title": title, "subtitle": subtitle, "svg": drawn})
    return panels


def _curve(index: int, run: ScoredRun, value: Callable[[LogLine], float | None]) -> figures.Curve | None:
    points = [(line.step, v) for line in run.log if (v := value(line)) is not None]
    if not points:
        return None
    steps, values = np.array(points, dtype=float).T
    return figures.Curve(index, steps, values)


def _tile_scores(comparison: Comparison, rows: Mapping[str, Sequence[tables.Row]]) -> Callable[..., Any]:
    """Returns a function from (image, tile) to the (label, cell) scores of the picture the tile was cut from."""
    by_image = {key: {row.name: row for row in rows[key]} for key in comparison.metrics}

    def scores(image: str, tile: crops.Tile) -> list[tuple[str, tables.Cell | None]]:
        if tile.kind == "target":
            return []
        column = 0 if tile.run is None else 1 + tile.run
        return [(metric.label, by_image[key][image].cells[column]) for key, metric in comparison.metrics.items()]

    return scores


def _command(runs: Sequence[Path], out: Path, set_name: str) -> str:
    return shlex.join(["pdloss", "report", *map(str, runs), "--out", str(out), "--set", set_name])


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("matplotlib", "numpy", "pillow", "jinja2")}
    return {"pdloss": __version__, "python": platform.python_version(), **packages}
