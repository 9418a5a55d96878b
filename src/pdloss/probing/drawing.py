"""The responses as a picture: over frequency and direction, and beside each other for all that is no grating."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdloss.errors import MissingExtraError
from pdloss.files import write_atomically
from pdloss.ops.patterns import ANGLES
from pdloss.probing.response import BLIND, Responses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: dict[Any, Any] = {"font.size": 9.0, "svg.fonttype": "none", "svg.hashsalt": "pdloss", "text.parse_math": False}
_DASHES = dict(zip(ANGLES, ("-", "--", "-.", ":"), strict=True))


def save_drawing(responses: Sequence[Responses], path: Path) -> None:
    """Writes the picture; its suffix, png, pdf or svg, says in which format.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OSError: If the file cannot be written.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None
    with mpl.rc_context(_STYLE):
        figure = _figure(responses)
        kind = path.suffix.lower().removeprefix(".")
        write_atomically(path, lambda temporary: figure.savefig(temporary, format=kind, dpi=150))


def _figure(responses: Sequence[Responses]) -> "Figure":
    from matplotlib.figure import Figure

    others = [pattern for pattern in responses[0].values if pattern.frequency is None]
    height = max(3.6, 0.9 + 0.16 * len(others) * (len(responses) + 1))
    figure = Figure(figsize=(10, height), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_gratings(left, responses)
    for row, response in enumerate(responses):
        places = [i * (len(responses) + 1) + row for i in range(len(others))]
        right.barh(places, [response.values[p] for p in others], height=0.9, color=f"C{row}", label=response.loss)
    middle = (len(responses) - 1) / 2
    right.set_yticks([i * (len(responses) + 1) + middle for i in range(len(others))], [p.name for p in others])
    right.invert_yaxis()
    right.set_xlabel("response, relative to white noise")
    right.axvspan(0, BLIND, color="0.9", zorder=0)
    right.axvline(1, color="0.5", linewidth=0.8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_gratings(axes: "Axes", responses: Sequence[Responses]) -> None:
    for row, response in enumerate(responses):
        for angle, dash in _DASHES.items():
            points = [(p.frequency, value) for p, value in response.values.items() if p.angle == angle]
            label = response.loss if angle == ANGLES[0] else None
            axes.plot(*zip(*points, strict=True), dash, color=f"C{row}", marker=".", label=label)
    for angle, dash in _DASHES.items():
        axes.plot([], [], dash, color="0.4", label=f"{angle}°")
    axes.axhspan(0, BLIND, color="0.9", zorder=0)
    axes.axhline(1, color="0.5", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("frequency of a grating, cycles a pixel")
    axes.set_ylabel("response, relative to white noise")
    axes.legend(frameon=False, fontsize=7.5)
