"""A picture of any size through a network, tile by tile: as if it had gone through whole.

Each tile sees `reach` more pixels around it than it gives, and a seam's width more, over which it fades into its
neighbours. There two tiles have made the same pixels, so that how far they disagree tells how far the result is from
that of the whole picture.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss.restoration.reach import Reach, up

SEAM = 4
"""Half of the width of a seam, in pixels of the input."""

Source = Callable[[slice, slice], Float[Tensor, "c h w"]]
"""Gives a window of the picture."""
Sink = Callable[[int, Float[Tensor, "c h2 w2"]], object]
"""Takes rows of the result, from which row on."""
Run = Callable[[Float[Tensor, "b c h w"]], Float[Tensor, "b c2 h2 w2"]]


class Span(NamedTuple):
    """Where a tile lies in one direction."""

    start: int
    """Of what it gives, seams not counted."""
    stop: int
    low: int
    """Of what it sees."""
    high: int


class Tiling(NamedTuple):
    """How a picture is cut."""

    rows: list[Span]
    columns: list[Span]
    reach: Reach

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return len(self.rows) * len(self.columns)


def tiling(height: int, width: int, tile: int, reach: Reach) -> Tiling:
    """Returns the tiles of a picture: as few as have sides of `tile` at most, and then as even as the grid allows.

    Args:
        height: Of the picture.
        width: The same.
        tile: Pixels a side that each gives; it sees more.
        reach: How far the network looks.

    Example:
        >>> [tuple(span) for span in tiling(100, 60, 50, Reach(1, 1, 8, False)).rows]
        [(0, 50, 0, 62), (50, 100, 38, 100)]
    """
    return Tiling(spans(height, tile, reach), spans(width, tile, reach), reach)


def spans(length: int, tile: int, reach: Reach) -> list[Span]:
    """Returns the tiles in one direction."""
    step = max(up(-(-length // -(-length // tile)), reach.grid), up(4 * SEAM, reach.grid))
    halo = reach.pixels + SEAM
    bounds = list(range(0, length, step))
    if len(bounds) > 1 and length - bounds[-1] < 2 * SEAM:  # too narrow for its seam
        bounds.pop()
    found = []
    for start, stop in zip(bounds, [*bounds[1:], length], strict=True):
        low = max(0, (start - halo) // reach.grid * reach.grid)
        found.append(Span(start, stop, low, min(length, up(stop + halo, reach.grid))))
    return found


def restore_tiles(
    cut: Tiling, source: Source, run: Run, sink: Sink, batch: int = 1, done: Callable[[], object] = lambda: None
) -> float:
    """Restores all tiles, hands their rows to `sink` from top to bottom, and returns how far two of them disagreed.

    Args:
        cut: The tiles.
        source: The picture.
        run: The network.
        sink: Where the result goes.
        batch: How many tiles of the same size go through at once.
        done: Told of every tile.

    Returns:
        The largest difference, in units of [0, 1], between two tiles' values of one pixel that are mixed with weight;
        0 if there are no seams.
    """
    scale, disagreement = cut.reach.scale, 0.0
    below: Tensor | None = None  # the seam with the next row of tiles, as this row made it
    for row in cut.rows:
        top, bottom = _given(row, cut.rows)
        band: Tensor | None = None
        before: Tensor | None = None  # the seam with the next tile, as this tile made it
        for column, made in _row(cut, row, source, run, batch, done):
            left, right = _given(column, cut.columns)
            if band is None:
                band = made.new_zeros(len(made), (bottom - top) * scale, (cut.columns[-1].stop) * scale)
            part = _cropped(made, row, top, bottom, column, left, right, scale)
            if before is not None:
                width = before.shape[-1]
                disagreement = max(disagreement, _apart(before, part[..., :width]))
                part = torch.cat([_mixed(before, part[..., :width], -1), part[..., width:]], -1)
            band[..., left * scale : right * scale] = part
            before = part[..., (column.stop - SEAM - left) * scale :] if right > column.stop else None
        assert band is not None
        if below is not None:
            height = below.shape[-2]
            disagreement = max(disagreement, _apart(below, band[..., :height, :]))
            band = torch.cat([_mixed(below, band[..., :height, :], -2), band[..., height:, :]], -2)
        end = (row.stop - SEAM - top) * scale if bottom > row.stop else band.shape[-2]
        sink(top * scale, band[..., :end, :])
        below = band[..., end:, :].clone() if bottom > row.stop else None
    return disagreement


def _row(
    cut: Tiling, row: Span, source: Source, run: Run, batch: int, done: Callable[[], object]
) -> Iterator[tuple[Span, Tensor]]:
    """Yields the tiles of a row, from left to right."""
    columns = list(cut.columns)
    while columns:
        size = columns[0].high - columns[0].low
        alike = [c for c in columns[:batch] if c.high - c.low == size]
        alike = alike if alike == columns[: len(alike)] else columns[:1]
        windows = [source(slice(row.low, row.high), slice(c.low, c.high)) for c in alike]
        made = run(torch.stack(windows))
        for column, one in zip(alike, made, strict=True):
            done()
            yield column, one
        columns = columns[len(alike) :]


def _given(span: Span, spans: list[Span]) -> tuple[int, int]:
    """Returns where what a tile gives begins and ends, seams counted."""
    return span.start - SEAM * (span != spans[0]), span.stop + SEAM * (span != spans[-1])


def _cropped(made: Tensor, row: Span, top: int, bottom: int, column: Span, left: int, right: int, scale: int) -> Tensor:
    rows = slice((top - row.low) * scale, (bottom - row.low) * scale)
    return made[:, rows, (left - column.low) * scale : (right - column.low) * scale]


def _mixed(one: Tensor, other: Tensor, dim: int) -> Tensor:
    """Returns one fading into the other."""
    count = one.shape[dim]
    share = (torch.arange(count, device=one.device, dtype=one.dtype) + 0.5) / count
    return torch.lerp(one, other, share if dim == -1 else share[:, None])


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one.clamp(0, 1) - other.clamp(0, 1)).abs().max())
