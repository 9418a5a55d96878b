"""Pairs of an image and itself with a small pattern: whether a student's maps move as its teacher's do.

A loss pulls by the gradient of the maps, not by the maps: a student near its teacher on every photograph may still be
blind to a checkerboard. So part of what it learns from is how little patterns change the maps.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss.ops.patterns import any_pattern

SMALLEST, LARGEST = 4 / 255, 12 / 255
"""Root mean square of the patterns, in units of [0, 1]."""


def pairs_in(batch: int) -> int:
    """Returns how many pairs a batch holds: half its images are in pairs, of two images at least one.

    Example:
        >>> [pairs_in(batch) for batch in (1, 2, 8, 16)]
        [0, 1, 2, 4]
    """
    return 0 if batch < 2 else max(1, batch // 4)


def with_pairs(images: Tensor, stream: torch.Generator) -> Tensor:
    """Returns the batch with its last images replaced by those before them, each plus a pattern.

    Of n images in k pairs, image n - k + i is image n - 2k + i with a pattern. It may leave [0, 1], as restored images
    do.

    Args:
        images: A batch of squares (B, 3, S, S).
        stream: Draws the patterns, and how strong they are.
    """
    count, side = pairs_in(len(images)), images.shape[-1]
    if count == 0:
        return images
    strength = SMALLEST + (LARGEST - SMALLEST) * torch.rand(count, 1, 1, 1, generator=stream)
    patterns = torch.stack([any_pattern(side, stream) for _ in range(count)])
    changed = images[-2 * count : len(images) - count] + (strength * patterns).to(images)
    return torch.cat([images[:-count], changed])


def changes(maps: Tensor) -> Tensor:
    """Returns by how much each pattern of a batch `with_pairs` changes the maps, (k, C, h, w)."""
    count = pairs_in(len(maps))
    return maps[len(maps) - count :] - maps[len(maps) - 2 * count : len(maps) - count]


def change_error(layer: str, imitated: Tensor, changed: Tensor) -> Tensor:
    r"""Returns the relative squared error of the changes, :math:`\sum (d_s - d_t)^2 / \sum d_t^2`.

    Args:
        layer: Its name; the imitated maps of a ``relu`` are rectified here.
        imitated: The student's maps of the whole batch, before any ReLU.
        changed: The teacher's `changes`, in the same units.
    """
    own = changes(F.relu(imitated) if layer.startswith("relu") else imitated)
    return (own - changed).square().sum() / changed.square().sum().clamp(min=1e-12)
