"""Matplotlib's drawings as inline SVG whose colours are the page's own, so that they follow light and dark."""

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pdloss.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = 8
"""How many series colours the page's style sheet defines; further runs repeat them with dashes."""

# Stand-ins that matplotlib accepts; each becomes a CSS variable of the page.
_INK, MUTED, _RULE = "#000001", "#000002", "#000003"
_VARIABLES = {_INK: "--ink", MUTED: "--muted", _RULE: "--rule"}
_STYLE = {
    "font.size": 9.0,
    "text.color": _INK,
    "text.parse_math": False,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.6,
    "xtick.color": _RULE,
    "xtick.labelcolor": MUTED,
    "ytick.color": _RULE,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0.0,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "pdloss",
}


def require_matplotlib() -> None:
    """Refuses early what would fail late.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None


@contextmanager
def drawing(size: tuple[float, float]) -> Iterator["Axes"]:
    """Yields empty axes of a size in inches, in the page's style whatever the user's own settings are."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", _STYLE]), warnings.catch_warnings():
        # A name in a script that matplotlib's own font lacks is drawn by the browser all the same.
        warnings.filterwarnings("ignore", message="Glyph")
        yield Figure(figsize=size, layout="constrained").add_subplot()


def svg_text(axes: "Axes", prefix: str, label: str) -> str:
    """Returns the figure that holds `axes` as an element for the middle of an HTML page.

    Args:
        axes: What `drawing` yielded.
        prefix: Put before every id, so that several figures can share a page.
        label: What a screen reader says of the figure.
    """
    buffer = io.StringIO()
    figure = axes.get_figure(root=True)
    assert figure is not None
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    # Its style element would reach the whole page; the page's own style sheet says the same for figures alone.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(?:xlink:)?href="#|url\(#', lambda match: f"{match[0]}{prefix}-", svg)
    svg = re.sub(r"#0000[0-9a-f]{2}\b", lambda match: f"var({_variable(match[0])})", svg)
    opening = re.search(r'viewBox="[^"]*"', svg)
    assert opening is not None
    start = f'<svg {opening[0]} role="img" aria-label="{html.escape(label)}">'
    return start + svg[svg.index(">") + 1 :]


def series(run: int) -> str:
    """Returns the stand-in for the colour of a run, by its place in the comparison."""
    return f"#0000{16 + run % COLOURS:02x}"


def _variable(stand_in: str) -> str:
    return _VARIABLES.get(stand_in) or f"--s{int(stand_in[-2:], 16) - 16}"
