"""Matplotlib's drawings: inline SVG whose colours are the page's own, and files for other papers."""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pdloss.charts import saving
from pdloss.charts.palette import PRINTED, STAND_INS, Colours
from pdloss.files import name_inside, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def inline(chart: Chart) -> str:
    """Returns the drawing as an element for the middle of an HTML page; its colours are variables of the style sheet.

    Every id begins with the chart's name, so that several can share a page; ``<title>`` and ``<desc>`` say what it
    shows.
    """
    with _drawn(chart, STAND_INS) as figure:
        svg = saving.svg_text(figure)
    # Its style element would reach the whole page; the page's own style sheet says the same for figures alone.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{chart.name}-', svg)
    svg = re.sub(r'(?:xlink:)?href="#|url\(#', lambda match: f"{match[0]}{chart.name}-", svg)
    names = {colour: name for name, colour in STAND_INS.named.items()}
    svg = re.sub(r"#0000[0-9a-f]{2}\b", lambda match: f"var(--{names[match[0]]})", svg)
    opening = re.search(r'viewBox="[^"]*"', svg)
    assert opening is not None
    body = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    return described(chart.name, chart.title, chart.description, opening[0], body)


def described(name: str, title: str, description: str, attributes: str, body: str) -> str:
    """Returns an ``<svg>`` that says to those who cannot see it what it shows.

    Args:
        name: Beginning of its ids on the page.
        title: Short.
        description: What it shows.
        attributes: Of the element, such as its size.
        body: What is in it.
    """
    return (
        f'<svg {attributes} role="img" aria-labelledby="{name}-title" aria-describedby="{name}-desc">'
        f'<title id="{name}-title">{html.escape(title)}</title><desc id="{name}-desc">{html.escape(description)}</desc>'
        f"{body}</svg>"
    )


def save(chart: Chart, folder: Path) -> list[Path]:
    """Writes ``<name>.svg`` and ``<name>.png`` in the light colours, 200 pixels an inch, and returns their paths."""
    paths = files(chart, folder)
    with _drawn(chart, PRINTED) as figure:
        write_text(paths[0], saving.svg_text(figure))
        saving.save(figure, paths[1:])
    return paths


def files(chart: Chart, folder: Path) -> list[Path]:
    """Returns the files that `save` writes.

    Raises:
        UserError: If the chart's name, which may come from a score file, is none inside the folder.
    """
    return [name_inside(folder, f"{chart.name}.{kind}", "the chart") for kind in ("svg", "png")]


@contextmanager
def _drawn(chart: Chart, colours: Colours) -> Iterator["Figure"]:
    from matplotlib.figure import Figure

    with saving.styled(colours):
        figure = Figure(figsize=chart.size, layout="constrained")
        chart.draw(figure.add_subplot(), colours)
        yield figure
