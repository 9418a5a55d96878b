"""Why W1 and not KL: distances between histograms, of a toy that moves and of a photograph's features (figure 2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pillow
from torch import Tensor

from pdloss._types import Image
from pdloss.charts.histograms import Histogrammed, Pixels
from pdloss.errors import ImageError
from pdloss.features import extractor
from pdloss.images import to_bytes
from pdloss.ops.wasserstein import wasserstein_1d
from pdloss.specs.trust import RECEIVED, Trust
from pdloss.statistics.histograms import BINS, FLOOR, HIGHER_FLOOR, Counts, Distances, histograms, js, kl, similar_kl

TOY = tuple(math.comb(8, k) for k in range(9))
"""Samples in each bin of the toy: 256 in all, in nine bins of width 1."""
SHIFTS = 41
ACTIVE = 0.2
"""At this share of the target's positions or more an active channel is above zero."""


def toy_counts(shift: int) -> Counts:
    """Returns the toy histogram, moved by so many bins."""
    counts = np.zeros(BINS, dtype=np.int64)
    counts[shift : shift + len(TOY)] = TOY
    return counts


def toy_distances() -> list[Distances]:
    """Returns the distances of the toy, shifted, to itself; W1 from the 256 values, not from the histogram."""
    values = torch.repeat_interleave(torch.arange(float(len(TOY))), torch.tensor(TOY))
    target, found = toy_counts(0), []
    for shift in range(SHIFTS):
        moved, w1 = toy_counts(shift), wasserstein_1d(values + shift, values).item()
        both = kl(moved, target, FLOOR), kl(moved, target, HIGHER_FLOOR)
        found.append(Distances(shift, *both, js(moved, target), w1))
    return found


@dataclass(frozen=True)
class Seen:
    """One photograph and its low-resolution version, as features see them."""

    name: str
    sharp: Pixels
    blunt: Pixels
    restored: Float[np.ndarray, "channels n"]
    target: Float[np.ndarray, "channels n"]
    rows: Sequence[Distances]
    """Of the active channels."""

    @property
    def chosen(self) -> list[Histogrammed]:
        """Three channels of like KL, the W1 of each larger than that of the one before."""
        return [Histogrammed(row, self.restored[row.place], self.target[row.place]) for row in similar_kl(self.rows)]

    @property
    def overlap(self) -> float:
        """The share that a channel's two histograms have in common, the median over the active ones."""
        pairs = [histograms(self.restored[row.place], self.target[row.place])[:2] for row in self.rows]
        return float(np.median([np.minimum(one / one.sum(), other / other.sum()).sum() for one, other in pairs]))


def seen(name: str, sharp: Image, features: str, factor: int, trusted: Trust = RECEIVED) -> Seen:
    """Returns what the first layer of some features sees of a photograph made smaller and large again.

    Args:
        name: Of the photograph.
        sharp: RGB in [0, 1].
        features: A backbone and one layer.
        factor: How many times smaller.
        trusted: Whose text the features are.

    Raises:
        SpecError: If the features are unknown.
        AssetError: If their weights are not at hand.
        ImageError: If the photograph is too small for them, or no channel is active.
    """
    blunt = low_resolution(sharp, factor)
    network = extractor(features, trusted)
    try:
        restored, target = (_first_map(network, image) for image in (blunt, sharp))
    except ValueError as error:
        raise ImageError(f"{name}: {error}; choose a larger photograph or a shallower layer") from None
    rows = distances(restored, target)
    if not rows:
        raise ImageError(f"no channel of {features} is above zero at {ACTIVE:.0%} of the positions of {name}")
    return Seen(name, _pixels(sharp), _pixels(blunt), restored.numpy(), target.numpy(), rows)


def distances(restored: Float[Tensor, "channels n"], target: Float[Tensor, "channels n"]) -> list[Distances]:
    """Returns the distances of every channel that is above zero at enough of the target's positions."""
    found = []
    for channel in torch.nonzero((target > 0).double().mean(1) >= ACTIVE)[:, 0].tolist():
        counts, of_target, _ = histograms(restored[channel].numpy(), target[channel].numpy())
        w1 = wasserstein_1d(restored[channel], target[channel]).item()
        both = kl(counts, of_target, FLOOR), kl(counts, of_target, HIGHER_FLOOR)
        found.append(Distances(channel, *both, js(counts, of_target), w1, target[channel].std().item()))
    return found


def low_resolution(image: Image, factor: int) -> Image:
    """Returns the image made smaller and large again: bicubic, 8 bits."""
    picture = Pillow.fromarray(_pixels(image))
    small = picture.resize((picture.width // factor, picture.height // factor), Pillow.Resampling.BICUBIC)
    large = np.array(small.resize(picture.size, Pillow.Resampling.BICUBIC))
    return torch.from_numpy(large).permute(2, 0, 1).float() / 255


def middle(image: Image, side: int | None = None) -> Float[Tensor, "3 side side"]:
    """Returns the square of so many pixels in the middle; by default the largest whose side 16 divides."""
    height, width = image.shape[-2:]
    most = min(height, width) // 16 * 16
    side = most if side is None else min(side, most)
    top, left = (height - side) // 2, (width - side) // 2
    return image[:, top : top + side, left : left + side].contiguous()


@torch.no_grad()
def _first_map(network: torch.nn.Module, image: Image) -> Float[Tensor, "channels n"]:
    layer: Tensor
    layer, *_ = network(image[None]).values()
    return layer[0].flatten(1)


def _pixels(image: Image) -> Pixels:
    pixels: Pixels = to_bytes(image).permute(1, 2, 0).contiguous().numpy()
    return pixels
