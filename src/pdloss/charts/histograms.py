"""Histograms that move: a toy with its distances against the shift, and channels of features with theirs (figure 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from pdloss.charts.palette import PRINTED
from pdloss.charts.saving import save, styled
from pdloss.statistics.histograms import BINS, FLOOR, HIGHER_FLOOR, Counts, Distances, histograms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHIFTS = (0, 4, 20, 40)
_COLOURS = tuple(PRINTED[name] for name in ("s0", "s1", "s2", "s4"))
_TARGET, _RESTORED = PRINTED["s5"], PRINTED["s1"]
MOST_PIXELS = 224
"""Along a side of a photograph that is drawn: its middle."""

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Histogrammed:
    """One channel of a photograph, restored and target: its values and their distances."""

    distances: Distances
    restored: Float[np.ndarray, " n"]
    target: Float[np.ndarray, " n"]


def save_toy(rows: Sequence[Distances], toys: Sequence[Counts], paths: Sequence[Path]) -> None:
    """Writes the toy and three of its shifts, then KL, JS and W1 against the shift.

    Args:
        rows: The distances, from a shift of 0 on.
        toys: The toy's histogram at every shift.
        paths: Of the same picture as SVG, PNG or PDF.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    with styled(PRINTED):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 2.6), layout="constrained")
        toy, of_kl, of_js, of_w1 = figure.subplots(1, 4)
        for shift, colour in zip(_SHIFTS, _COLOURS, strict=True):
            edges = np.arange(BINS + 1) - 0.5
            toy.stairs(toys[shift], edges, fill=True, color=colour, alpha=0.75, label=f"shift {shift}")
        toy.legend(fontsize=7.5, ncols=2, loc="upper right", frameon=False)
        toy.set_ylim(0, 1.4 * toys[0].max())
        toy.set(title="a toy, and the toy shifted", xlabel="value", ylabel="samples in the bin")
        shifts = [row.place for row in rows]
        of_kl.plot(shifts, [row.kl for row in rows], color=_COLOURS[0], label=f"floor {FLOOR:g}")
        higher = [row.kl_higher for row in rows]
        of_kl.plot(shifts, higher, "--", color=_COLOURS[1], label=f"floor {HIGHER_FLOOR:g}")
        of_kl.legend(loc="center right", frameon=False)
        of_js.plot(shifts, [row.js for row in rows], color=_COLOURS[0])
        of_w1.plot(shifts, [row.w1 for row in rows], color=_COLOURS[2])
        for axes, title in ((of_kl, "KL (nats)"), (of_js, "JS (nats)"), (of_w1, "W1")):
            axes.set(title=title, xlabel="shift")
            axes.set_ylim(bottom=0)
        save(figure, paths)


def save_channels(
    sharp: Pixels,
    blunt: Pixels,
    rows: Sequence[Distances],
    chosen: Sequence[Histogrammed],
    paths: Sequence[Path],
) -> None:
    """Writes the two pictures, every channel's KL and W1, and the histograms of the channels chosen.

    Args:
        sharp: The photograph.
        blunt: Its low-resolution version.
        rows: The distances of all channels.
        chosen: Three of them.
        paths: Of the same picture as SVG, PNG or PDF.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    with styled(PRINTED):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 6.2), layout="constrained")
        (left, middle, right), lower = figure.subplots(2, 3)
        for axes, image, title in ((left, sharp, "photograph"), (middle, blunt, "low resolution")):
            axes.imshow(_middle(image), interpolation="none")
            axes.set_title(f"{title}, its middle")
            axes.set_axis_off()
        places = [row.kl for row in rows], [row.relative for row in rows]
        right.loglog(*places, "o", color=PRINTED["faint"], markersize=3, label="one channel")
        for each, mark in zip(chosen, "v^s", strict=True):
            at, label = each.distances, f"channel {each.distances.place}"
            right.plot(at.kl, at.relative, mark, color=_RESTORED, markersize=7, label=label)
        for axis in (right.xaxis, right.yaxis):
            _say_plainly(axis, (1, 2, 5))
        right.set(title="all active channels", xlabel="KL (nats)", ylabel="W1 / spread of the target")
        right.legend(fontsize=7.5, frameon=False)
        for axes, each in zip(lower, chosen, strict=True):
            _draw(axes, each)
        save(figure, paths, dpi=120)


def _draw(axes: "Axes", channel: Histogrammed) -> None:
    """Draws one channel's two histograms, and says their distances."""
    counts, of_target, edges = histograms(channel.restored, channel.target)
    axes.stairs(of_target / of_target.sum(), edges, fill=True, color=_TARGET, label="photograph")
    axes.stairs(counts / counts.sum(), edges, color=_RESTORED, linewidth=1.4, label="low resolution")
    at = channel.distances
    axes.set(title=f"channel {at.place}", xlabel="feature", ylabel="share of the positions")
    axes.set_yscale("log")
    _say_plainly(axes.yaxis, (1,))
    said = f"KL {at.kl:.3f}   JS {at.js:.3f}\nW1 {at.w1:.1f}   W1/spread {at.relative:.3f}"
    axes.legend(title=said, loc="upper right", alignment="right", fontsize=7.5, title_fontsize=8.5, frameon=False)


def _say_plainly(axis: Any, numbers: tuple[int, ...]) -> None:
    """Has a logarithmic axis named at these numbers of each decade, as they are read."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=numbers))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _middle(image: Pixels) -> UInt8[np.ndarray, "rows columns 3"]:
    height, width = image.shape[:2]
    top, left = (max(0, side - MOST_PIXELS) // 2 for side in (height, width))
    return image[top : top + MOST_PIXELS, left : left + MOST_PIXELS]
