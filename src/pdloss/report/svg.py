"""Matplotlib's drawings: inline SVG whose colours are the page's own, and files for other papers."""

import html
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdloss.errors import MissingExtraError
from pdloss.files import name_inside, write_atomically, write_text
from pdloss.report.palette import PRINTED, STAND_INS, Colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NOTHING = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Chart:
    """A drawing that can be made in any colours."""

    name: str
    """Its file's stem, and the beginning of its ids on the page."""
    title: str
    description: str
    """What a reader who cannot see it is told."""
    size: tuple[float, float]
    """Width and height, in inches."""
    draw: Callable[["Axes", Colours], None]


def require_matplotlib() -> None:
    """Refuses early what would fail late.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None


def inline(chart: Chart) -> str:
    """Returns the drawing as an element for the middle of an HTML page; its colours are variables of the style sheet.

    Every id begins with the chart's name, so that several can share a page; ``<title>`` and ``<desc>`` say what it
    shows.
    """
    with _drawn(chart, STAND_INS) as figure:
        svg = _svg(figure)
    # Its style element would reach the whole page; the page's own style sheet says the same for figures alone.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{chart.name}-', svg)
    svg = re.sub(r'(?:xlink:)?href="#|url\(#', lambda match: f"{match[0]}{chart.name}-", svg)
    names = {colour: name for name, colour in STAND_INS.named.items()}
    svg = re.sub(r"#0000[0-9a-f]{2}\b", lambda match: f"var(--{names[match[0]]})", svg)
    opening = re.search(r'viewBox="[^"]*"', svg)
    assert opening is not None
    says = f'aria-labelledby="{chart.name}-title" aria-describedby="{chart.name}-desc"'
    return (
        f'<svg {opening[0]} role="img" {says}><title id="{chart.name}-title">{html.escape(chart.title)}</title>'
        f'<desc id="{chart.name}-desc">{html.escape(chart.description)}</desc>{svg[svg.index(">") + 1 :]}'
    )


def save(chart: Chart, folder: Path) -> list[Path]:
    """Writes ``<name>.svg`` and ``<name>.png`` in the light colours, 200 pixels an inch, and returns their paths."""
    paths = files(chart, folder)
    with _drawn(chart, PRINTED) as figure:
        write_text(paths[0], _svg(figure))
        write_atomically(paths[1], lambda path: figure.savefig(path, format="png", dpi=200))
    return paths


def files(chart: Chart, folder: Path) -> list[Path]:
    """Returns the files that `save` writes.

    Raises:
        UserError: If the chart's name, which may come from a score file, is none inside the folder.
    """
    return [name_inside(folder, f"{chart.name}.{kind}", "the chart") for kind in ("svg", "png")]


@contextmanager
def styled(colours: Colours) -> Iterator[None]:
    """Makes matplotlib draw in the page's style, whatever the user's own settings are."""
    from matplotlib import style

    with style.context(["default", _style(colours)]), warnings.catch_warnings():
        # A name in a script that matplotlib's own font lacks is drawn by the browser all the same.
        warnings.filterwarnings("ignore", message="Glyph")
        yield


@contextmanager
def _drawn(chart: Chart, colours: Colours) -> Iterator["Figure"]:
    from matplotlib.figure import Figure

    with styled(colours):
        figure = Figure(figsize=chart.size, layout="constrained")
        chart.draw(figure.add_subplot(), colours)
        yield figure


def _svg(figure: "Figure") -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=_NOTHING)
    return buffer.getvalue()


def _style(colours: Colours) -> dict[str, Any]:
    return {
        "font.size": 9.0,
        "text.color": colours["ink"],
        "text.parse_math": False,
        "figure.facecolor": "white",
        "axes.facecolor": "none",
        "axes.edgecolor": colours["rule"],
        "axes.labelcolor": colours["muted"],
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": colours["rule"],
        "grid.linewidth": 0.6,
        "xtick.color": colours["rule"],
        "xtick.labelcolor": colours["muted"],
        "ytick.color": colours["rule"],
        "ytick.labelcolor": colours["muted"],
        "ytick.major.size": 0.0,
        "lines.solid_capstyle": "round",
        "svg.fonttype": "none",
        "svg.hashsalt": "pdloss",
    }
