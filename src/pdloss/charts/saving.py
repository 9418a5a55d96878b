"""What every picture has in common: matplotlib in one style, and files that are the same each time."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdloss.charts.palette import Colours
from pdloss.errors import MissingExtraError
from pdloss.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("png", "pdf", "svg")
_UNDATED: dict[str, dict[str, None]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}
"""What is left out of a file, so that the same picture has the same bytes."""

_PLAIN = {"font.size": 9.0, "svg.fonttype": "none", "svg.hashsalt": "pdloss", "text.parse_math": False}


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
def styled(colours: Colours | None = None) -> Iterator[None]:
    """Makes matplotlib draw in our style, whatever the user's own settings are.

    Args:
        colours: Those of a chart on a page; without them axes look as matplotlib's do.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib import style

    chosen = _PLAIN | (_of_a_page(colours) if colours else {})
    with style.context(["default", chosen]), warnings.catch_warnings():
        # A name in a script that matplotlib's own font lacks is drawn by the browser all the same.
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def files_beside(out: Path) -> list[Path]:
    """Returns the paths of one picture as PNG, PDF and SVG, given one of them, or the path without a suffix.

    Example:
        >>> [path.name for path in files_beside(Path("a.b.svg"))]
        ['a.b.png', 'a.b.pdf', 'a.b.svg']
    """
    base = out.with_suffix("") if out.suffix.lstrip(".") in KINDS else out
    return [base.parent / f"{base.name}.{kind}" for kind in KINDS]


def save(figure: "Figure", paths: Sequence[Path], dpi: int = 200) -> None:
    """Writes a figure, whole or not at all, once for each path; the suffix says as what: png, pdf or svg.

    Raises:
        OSError: If a file cannot be written.
    """
    for path in paths:
        kind = path.suffix.lower().removeprefix(".")
        options: dict[str, Any] = {"format": kind, "dpi": dpi, "metadata": _UNDATED[kind]}
        write_atomically(path, partial(figure.savefig, **options))


def svg_text(figure: "Figure") -> str:
    """Returns a figure as SVG without a background."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=_UNDATED["svg"])
    return buffer.getvalue()


def _of_a_page(colours: Colours) -> dict[str, Any]:
    return {
        "text.color": colours["ink"],
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
    }
