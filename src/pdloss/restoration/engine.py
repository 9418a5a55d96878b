"""A network made ready to restore pictures of any size: its tiles, its precision, and what must be said of it."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pdloss.devices import autocast, best_precision
from pdloss.errors import RunError, SpecError
from pdloss.memory import ran_out
from pdloss.restoration.reach import Reach, measured_reach, up
from pdloss.restoration.room import LEAST, bytes_for_a_pixel, fitting_batch, fitting_tile
from pdloss.restoration.tiles import Sink, Source, Tiling, restore_tiles, tiling

_LEVEL = 1 / 255
_SEEN_AT_SEAMS = 0.5 * _LEVEL
"""How far two tiles may disagree before the overlap is made larger, and the picture is done again."""

Precision = Literal["auto", "bfloat16", "float32"]


class Done(NamedTuple):
    """How a picture was restored."""

    tiles: int
    tile: int
    """Side of the tiles; 0 where the picture went through whole."""
    disagreement: float
    """Of two tiles at one pixel, at most, in units of [0, 1]."""
    again: int
    """How many times it was begun anew: with smaller tiles for want of memory, in float32, or with more overlap."""


class Engine:
    """Restores pictures with a network, tile by tile.

    Args:
        network: In eval mode, on `device`.
        device: Where it computes.
        tile: Side of the tiles in pixels; None for what the free memory allows.
        channels: Of its input.
        precision: Number format of the network; auto: bfloat16 where the device is faster with it, float32 for 16 bits.

    Raises:
        SpecError: If the tile is too small.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        tile: int | None = None,
        channels: int = 3,
        precision: Precision = "auto",
    ) -> None:
        if tile is not None and tile < LEAST:
            raise SpecError(f"--tile must be at least {LEAST} pixels, or auto, got {tile}")
        self.network, self.device, self.channels, self._asked = network, device, channels, tile
        self._measured: Reach | None = None
        self._half = precision == "bfloat16" or (precision == "auto" and best_precision(device) == "bfloat16")
        self._verified = precision != "auto"
        self._exact = False
        self._a_pixel = 0.0
        self.notes: list[str] = []
        """What was found out about the network and must be said, once each."""

    @property
    def reach(self) -> Reach:
        """How far the network looks."""
        if self._measured is None:
            self._measured = measured_reach(self.network, self.channels)
            self._a_pixel = bytes_for_a_pixel(self.network, self.channels)
        return self._measured

    def restore(
        self,
        height: int,
        width: int,
        source: Source,
        sink: Sink,
        progress: Callable[[int, int], object] = lambda done, total: None,
        exact: bool = False,
    ) -> Done:
        """Restores one picture; a tile that does not fit is halved and done again, and so is all that came before it.

        Args:
            height: Of the input.
            width: The same.
            source: Gives its windows.
            sink: Takes rows of the result; from the first one again where the picture is begun anew.
            progress: Told how many tiles of how many are done.
            exact: Whether more than 8 bits are wanted, which bfloat16 does not hold.

        Raises:
            MemoryError: If the smallest tile does not fit either; or another error that says so.
            RunError: If the result is not finite.
        """
        tile, reach, again, self._exact = self._tile(), self.reach, 0, exact
        while True:
            cut = tiling(height, width, tile, reach)
            try:
                apart = self._once(cut, tile, source, sink, progress)
            except (MemoryError, RuntimeError, OSError) as error:
                if not ran_out(error):
                    raise
                if cut.tiles == 1:
                    tile = max(height, width)
                if tile <= LEAST:
                    raise
            else:
                if apart <= (1 + self._rounds) * _SEEN_AT_SEAMS or reach.whole:
                    return self._told(cut, tile, apart, again)
                if self._rounds:  # perhaps it was bfloat16 alone
                    self._exact = True
                else:  # far things matter more in this picture than in those that the reach was measured on
                    reach = reach._replace(pixels=up(2 * reach.pixels, reach.grid))
                again += 1
                continue
            tile, again = max(LEAST, tile // 2), again + 1
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    @property
    def _rounds(self) -> bool:
        """Whether values are rounded to bfloat16 on the way."""
        return self._half and not self._exact

    def _tile(self) -> int:
        reach = self.reach
        return fitting_tile(self._a_pixel, reach, self.device) if self._asked is None else self._asked

    def _once(
        self, cut: Tiling, tile: int, source: Source, sink: Sink, progress: Callable[[int, int], object]
    ) -> float:
        done, batch = 0, fitting_batch(self._a_pixel, tile, cut.reach, self.device)

        def count() -> None:
            nonlocal done
            done += 1
            progress(done, cut.tiles)

        return restore_tiles(cut, source, self._run, sink, batch, count)

    @torch.no_grad()
    def _run(self, windows: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        """Returns what the network makes of windows, as float32 on the processor, not clipped."""
        there = windows.to(self.device, memory_format=torch.channels_last)
        half = self._rounds
        if half and not self._verified:
            half = self._verify(there[:1])
        with autocast(self.device, "bfloat16" if half else "float32"):
            made: Tensor = self.network(there)
        if not bool(made.isfinite().all()):
            raise RunError(
                "the network's output is not finite: its weights are damaged, evaluate an earlier checkpoint"
            )
        return made.float().cpu()

    def _verify(self, window: Tensor) -> bool:
        """Compares bfloat16 with float32 on the first tile; where they differ by a level, float32 is taken."""
        exact: Tensor = self.network(window)
        with autocast(self.device, "bfloat16"):
            fast: Tensor = self.network(window)
        apart = float((fast.float().clamp(0, 1) - exact.clamp(0, 1)).abs().max())
        self._half = apart <= _LEVEL
        self._verified = True
        return self._half

    def _told(self, cut: Tiling, tile: int, apart: float, again: int) -> Done:
        if cut.reach.whole and cut.tiles > 1:
            self.notes.append(
                "this network looks at the whole picture, or cannot be measured, and in tiles sees each by itself: the "
                f"result is not that of the whole picture, and two tiles differ by up to {apart / _LEVEL:.2g} of 255 "
                "levels where they meet; a --tile larger than the picture takes it whole"
            )
        return Done(cut.tiles, tile if cut.tiles > 1 else 0, apart, again)
