"""The responses as a picture: over frequency and direction, and beside each other for all that is no grating."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pdloss.charts.palette import PRINTED, RunStyle
from pdloss.charts.saving import save, styled
from pdloss.ops.patterns import ANGLES
from pdloss.probing.response import BLIND, Responses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = dict(zip(ANGLES, ("-", "--", "-.", ":"), strict=True))


def save_drawing(responses: Sequence[Responses], path: Path) -> None:
    """Writes the picture; its suffix, png, pdf or svg, says in which format.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OSError: If the file cannot be written.
    """
    with styled():
        save(_figure(responses), [path], dpi=150)


def _figure(responses: Sequence[Responses]) -> "Figure":
    from matplotlib.figure import Figure

    others = [pattern for pattern in responses[0].values if pattern.frequency is None]
    height = max(3.6, 0.9 + 0.16 * len(others) * (len(responses) + 1))
    figure = Figure(figsize=(10, height), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_gratings(left, responses)
    for row, response in enumerate(responses):
        places = [i * (len(responses) + 1) + row for i in range(len(others))]
        right.barh(
            places,
            [response.values[p] for p in others],
            height=0.9,
            color=PRINTED.of(RunStyle(row)),
            label=response.loss,
        )
    middle = (len(responses) - 1) / 2
    right.set_yticks([i * (len(responses) + 1) + middle for i in range(len(others))], [p.name for p in others])
    right.invert_yaxis()
    right.set_xlabel("response, relative to white noise")
    right.axvspan(0, BLIND, color=PRINTED["rule"], zorder=0)
    right.axvline(1, color=PRINTED["faint"], linewidth=0.8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_gratings(axes: "Axes", responses: Sequence[Responses]) -> None:
    for row, response in enumerate(responses):
        for angle, dash in _DASHES.items():
            points = [(p.frequency, value) for p, value in response.values.items() if p.angle == angle]
            label = response.loss if angle == ANGLES[0] else None
            axes.plot(*zip(*points, strict=True), dash, color=PRINTED.of(RunStyle(row)), marker=".", label=label)
    for angle, dash in _DASHES.items():
        axes.plot([], [], dash, color=PRINTED["muted"], label=f"{angle}°")
    axes.axhspan(0, BLIND, color=PRINTED["rule"], zorder=0)
    axes.axhline(1, color=PRINTED["faint"], linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("frequency of a grating, cycles a pixel")
    axes.set_ylabel("response, relative to white noise")
    axes.legend(frameon=False, fontsize=7.5)
