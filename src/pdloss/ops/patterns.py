"""The patterns that a loss is shown: gratings, checkerboards, the tiles of pixel shuffles, in grey and in colour.

Every draw has mean 0 over the picture and root mean square 1 over its values, so that all carry the same energy.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss.ops.color import luma

Draw = Callable[[int, torch.Generator], Tensor]
"""Maps a side and a generator to one picture (3, side, side)."""

FREQUENCIES = (1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2)
"""Cycles a pixel; the last is Nyquist's along the axes."""

ANGLES = (0, 45, 90, 135)
"""Degrees: the direction in which a grating changes, 0 from left to right."""


@dataclass(frozen=True)
class Pattern:
    """One row of the table."""

    name: str
    draw: Draw
    frequency: float | None = None
    """Of a grating, in cycles a pixel."""
    angle: int | None = None
    """Of a grating, in degrees."""


def white_noise(side: int, generator: torch.Generator) -> Float[Tensor, "3 h w"]:
    """Returns Gaussian noise, each value by itself: what every pattern is held against."""
    return _normalised(torch.randn(3, side, side, generator=generator))


def grating(side: int, generator: torch.Generator, frequency: float, angle: int) -> Float[Tensor, "3 h w"]:
    """Returns a grey wave of a random phase."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    along = x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle))
    phase = 2 * math.pi * torch.rand((), generator=generator)
    return _normalised(torch.cos(2 * math.pi * frequency * along + phase).expand(3, -1, -1))


def checkerboard(side: int, generator: torch.Generator, cell: int) -> Float[Tensor, "3 h w"]:
    """Returns squares of `cell` pixels, of one sign or the other; where they begin is drawn."""
    down, right = torch.randint(2 * cell, (2,), generator=generator).tolist()
    rows, columns = (torch.arange(side) + down) // cell, (torch.arange(side) + right) // cell
    board = 1.0 - 2 * ((rows[:, None] + columns) % 2)
    return _normalised(board.expand(3, -1, -1))


def shuffle(side: int, generator: torch.Generator, factor: int) -> Float[Tensor, "3 h w"]:
    """Returns a grey tile of `factor` x `factor` random values, repeated: a network's last shuffle, out of balance."""
    tile = torch.randn(factor, factor, generator=generator)
    repeats = -(-side // factor)
    return _normalised(tile.repeat(repeats, repeats)[:side, :side].expand(3, -1, -1))


def coloured(side: int, generator: torch.Generator, draw: Draw) -> Float[Tensor, "3 h w"]:
    """Returns the pattern along a random direction of colour that leaves the luma as it is."""
    weights = (luma(torch.eye(3).view(3, 3, 1, 1)) - luma(torch.zeros(1, 3, 1, 1))).flatten()
    direction = torch.randn(3, generator=generator)
    direction -= weights * (direction @ weights) / weights.square().sum()
    return _normalised(draw(side, generator)[:1] * direction.view(3, 1, 1))


def _normalised(picture: Tensor) -> Tensor:
    centred = picture - picture.mean((-2, -1), keepdim=True)
    return centred / centred.square().mean().sqrt()


def _gratings() -> list[Pattern]:
    return [
        Pattern(f"grating {Fraction(f)} at {angle}°", partial(grating, frequency=f, angle=angle), f, angle)
        for angle in ANGLES
        for f in FREQUENCIES
    ]


_GREY = {
    **{f"checkerboard {cell} px": partial(checkerboard, cell=cell) for cell in (1, 2, 4)},
    **{f"shuffle {factor}x{factor}": partial(shuffle, factor=factor) for factor in (2, 4)},
}

PATTERNS: tuple[Pattern, ...] = (
    *_gratings(),
    *(Pattern(name, draw) for name, draw in _GREY.items()),
    Pattern("chroma noise", partial(coloured, draw=white_noise)),
    *(Pattern(f"chroma {name}", partial(coloured, draw=draw)) for name, draw in _GREY.items()),
)
"""All that is shown, gratings first."""


def any_pattern(side: int, generator: torch.Generator) -> Float[Tensor, "3 h w"]:
    """Returns one of white noise, a grating, a checkerboard, a shuffle's tile or something in colour, each as likely.

    Gratings have any direction and any frequency up to Nyquist's along an axis.
    """
    kind = int(torch.randint(5, (), generator=generator))
    if kind == 0:
        return white_noise(side, generator)
    if kind == 1:
        frequency, angle = torch.rand(2, generator=generator).tolist()
        return grating(side, generator, max(1 / 32, frequency / 2), round(180 * angle))
    if kind == 4:
        colours = [pattern for pattern in PATTERNS if pattern.name.startswith("chroma")]
        return colours[int(torch.randint(len(colours), (), generator=generator))].draw(side, generator)
    names = [name for name in _GREY if name.startswith("checkerboard" if kind == 2 else "shuffle")]
    return _GREY[names[int(torch.randint(len(names), (), generator=generator))]](side, generator)
