"""How far a network looks: measured on the network in hand, so that tiles overlap by what it needs and no more."""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

_STRIP = 16
"""Height of the strips that are looked at: the least that all networks here take."""
_LONGEST = 4096
_GRIDS = (1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64)
_REACHES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
_PART = 32
"""Side of the part of a picture that must not change."""
_UNCHANGED = 0.1 / 255
"""Change below which it counts as none, in units of [0, 1]."""


class Reach(NamedTuple):
    """What must be known of a network to restore in tiles."""

    scale: int
    """Rows of the result for each row of the input."""
    grid: int
    """Tiles must begin on multiples of this: the network works on blocks of pixels."""
    pixels: int
    """What lies further away than this changes a pixel by less than a tenth of an 8-bit level."""
    whole: bool
    """Whether each pixel depends on the whole picture, however large: by statistics or attention over it."""


@torch.no_grad()
def measured_reach(network: nn.Module, channels: int = 3) -> Reach:
    """Returns how far a network in eval mode looks.

    Whether it looks at the whole picture is seen exactly: a value that is not a number, put at one place, makes all
    that depends on it not a number. How far what matters lies is measured on two pictures, white noise and random
    blocks, by cutting away more and more around a part of them.

    Args:
        network: In eval mode, on any device.
        channels: Of its input.

    Returns:
        What is known of it. One that cannot be measured, since it refuses narrow pictures, counts as one that looks at
        the whole.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    scale = _scale(network, channels, device)
    try:
        # In float64, for which no library takes shortcuts that mix neighbours, were it with weight zero.
        exact = _exact(copy.deepcopy(network).cpu().double(), channels)
        grid = _grid(network, channels, device)
    except (RuntimeError, ValueError, TypeError):  # a user's own that takes no strips, or no float64
        return Reach(scale, 64, 48, True)
    if exact is None:
        return Reach(scale, max(grid, 16), 48, True)
    return Reach(scale, grid, _felt(network, channels, grid, scale, exact, device), False)


def _scale(network: nn.Module, channels: int, device: torch.device) -> int:
    made: Tensor = network(torch.zeros(1, channels, 64, 64, device=device))
    return max(1, made.shape[-1] // 64)


def _exact(network: nn.Module, channels: int) -> int | None:
    """Returns beyond which distance no pixel plays any part; none if there is no such."""
    length = 256
    while length <= _LONGEST:
        strip = torch.full((1, channels, _STRIP, length), 0.5, dtype=torch.float64)
        middle = length // 2
        strip[..., middle : middle + _STRIP] = torch.nan
        made: Tensor = network(strip)
        touched = made.isnan().any(dim=1).any(dim=1)[0].nonzero().flatten()
        scale = made.shape[-1] / length
        if not len(touched):  # it never hands on what it gets
            return 0
        low, high = int(touched[0]) / scale, (int(touched[-1]) + 1) / scale
        if low >= 1 and high <= length - 1:
            return round(max(middle + _STRIP - low, high - middle))
        length *= 4
    return None


def _grid(network: nn.Module, channels: int, device: torch.device) -> int:
    """Returns the least shift of the input that merely shifts the result, but for the border that is cut.

    The other border counts: where sizes are padded to whole blocks, how much is padded depends on where a tile begins.
    """
    length, inside = 500, 160
    stream = torch.Generator().manual_seed(0)
    strip = torch.rand(1, channels, _STRIP, length, generator=stream).to(device)
    made: Tensor = network(strip)
    scale = made.shape[-1] // length
    for shift in _GRIDS:
        moved: Tensor = network(strip[..., shift:])
        here, there = moved[..., inside * scale :], made[..., (inside + shift) * scale :]
        if (here - there).abs().max() < _UNCHANGED:
            return shift
    return 64


def _felt(network: nn.Module, channels: int, grid: int, scale: int, exact: int, device: torch.device) -> int:
    """Returns the least reach, of a list, beyond which nothing that was tried is felt."""
    reaches = [up(reach, grid) for reach in _REACHES if reach < exact]
    most = up(min(exact, _REACHES[-1]), grid)
    part = up(_PART, grid)
    stream = torch.Generator().manual_seed(1)
    side = part + 2 * most
    noise = torch.rand(1, channels, side, side, generator=stream)
    blocks = torch.rand(1, channels, -(-side // 8), -(-side // 8), generator=stream).round()
    blocks = blocks.repeat_interleave(8, -1).repeat_interleave(8, -2)[..., :side, :side]
    pictures = torch.cat([noise, blocks]).to(device)
    made: Tensor = network(pictures)
    wanted = made[..., most * scale : (most + part) * scale, most * scale : (most + part) * scale]
    for reach in reaches:
        edge = most - reach
        cut: Tensor = network(pictures[..., edge : side - edge, edge : side - edge])
        got = cut[..., reach * scale : (reach + part) * scale, reach * scale : (reach + part) * scale]
        if (got - wanted).abs().max() < _UNCHANGED:
            return reach
    return most


def up(value: int, multiple: int) -> int:
    """Returns the next whole multiple.

    Example:
        >>> up(33, 8), up(32, 8)
        (40, 32)
    """
    return -(-value // multiple) * multiple
