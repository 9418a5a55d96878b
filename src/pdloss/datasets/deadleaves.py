"""Dead leaves: pictures of opaque leaves fallen on each other, a source of training images that needs no data at all.

The radii follow a power law, so that a picture looks the same at every scale, as nature does; the colours are those of
photographs. Every picture is a pure function of the seed and of its index.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from pdloss.datasets.palettes import palette_colours
from pdloss.errors import SpecError
from pdloss.images import to_bytes
from pdloss.ops.filters import filter_valid, gaussian_kernel
from pdloss.ops.leaves import Leaves, Shape, partition, uniform
from pdloss.ops.streams import generator as stream
from pdloss.specs import Choice

Texture = Literal["none", "gradient", "waves", "noise", "mixed"]

_Numbers = NDArray[np.float64]

_TEXTURES = ("none", "gradient", "waves", "noise")

_FINE = 2
"""Each pixel is the mean of this many squared samples."""

_SHORTEST_WAVE = 4.0
"""In pixels: shorter ones would be gray after the averaging, or alias."""


@dataclass(frozen=True)
class DeadLeaves(Choice, name="deadleaves"):
    r"""Dead leaves in the colours of photographs: leaves of random size fall everywhere, the last ones on top.

    Radii have the density :math:`f(r) \propto r^{-\alpha}` between `smallest` and `largest`. At :math:`\alpha = 3`
    every scale holds as much: enlarging a picture changes nothing but the two limits, and the power spectrum falls
    about as :math:`1 / f^2`. Leaves fall on the plane, of which the picture is a window: its border is like its middle.

    The original recipe for training networks takes the colours from one photograph for each picture, has gradients on
    large discs, and reduces the finished picture. The other textures, waves and noise between two colours of the
    palette, follow a later generator in kind; their numbers, and all defaults but the exponent, are ours.

    Args:
        images: How many pictures there are.
        size: Height and width, in pixels.
        seed: Chooses everything random.
        exponent: :math:`\alpha`.
        smallest: Least radius, in pixels.
        largest: Greatest radius, in pixels; without one, the size.
        shape: ``disc``, or ``rectangle``: turned at random, its half diagonal is the radius.
        palette: ``natural``: each picture has the colours of one of 64 photographs, with some variation; ``uniform``:
            any colour; or the path of an image whose pixels are drawn from.
        texture: What a leaf blends its colour with a second one by: ``gradient``, ``waves``, ``noise``; ``mixed``
            draws one of these or ``none`` for every leaf.
        contrast: Greatest share of the second colour; each leaf draws its own up to it.
        blur: Standard deviation of the lens's Gaussian blur, in pixels; 0 leaves the edges as sharp as pixels are.

    Raises:
        SpecError: If the largest radius is below the smallest, or the palette is not a name and not a file.

    Example:
        >>> DeadLeaves(images=3, size=16).image(2).shape
        torch.Size([3, 16, 16])

    References:
        | Occlusion Models for Natural Images: A Statistical Study of a Scale-Invariant Dead Leaves Model
        | (Lee, Mumford and Huang, 2001), https://doi.org/10.1023/A:1011109015675
        | Synthetic Images as a Regularity Prior for Image Restoration Neural Networks (Achddou et al., 2021)
        | https://openreview.net/forum?id=vKT8fZFGcG
        | Revisiting Dead Leaves Model: Training with Synthetic Data (Madhusudana et al., 2021)
        | VibrantLeaves: A Principled Parametric Image Generator for Training Deep Restoration Models
        | (Achddou et al., 2025), https://arxiv.org/abs/2504.10201
    """

    images: Annotated[int, Meta(ge=1, le=1_000_000)] = 400
    size: Annotated[int, Meta(ge=8, le=1024)] = 256
    seed: int = 0
    exponent: Annotated[float, Meta(ge=0, le=10)] = 3.0
    smallest: Annotated[float, Meta(ge=0.5, le=1e5)] = 0.5
    largest: Annotated[float, Meta(ge=0.5, le=1e5)] | None = None
    shape: Shape = "disc"
    palette: str = "natural"
    texture: Texture = "mixed"
    contrast: Annotated[float, Meta(ge=0, le=1)] = 0.5
    blur: Annotated[float, Meta(ge=0, le=20)] = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.radii[1] < self.radii[0]:
            raise SpecError(f"{self}: the largest radius, {self.radii[1]:g}, must not be below the smallest")
        if self.palette not in ("natural", "uniform") and not Path(self.palette).is_file():
            raise SpecError(f"{self}: the palette is natural, uniform or an image file, and there is no such file")

    @property
    def radii(self) -> tuple[float, float]:
        """The least and the greatest radius, in pixels."""
        return self.smallest, float(self.size) if self.largest is None else self.largest

    def image(self, index: int) -> UInt8[Tensor, "3 h w"]:
        """Returns the picture of that index, a pure function of the seed, the index and the options.

        Raises:
            IndexError: If there is no such picture.
            ImageError: If the palette's image cannot be read.
        """
        if not 0 <= index < self.images:
            raise IndexError(f"there are {self.images} pictures, numbered from 0; got {index}")
        return dead_leaves(self, stream(self.seed, "deadleaves", index))


def dead_leaves(choice: DeadLeaves, generator: torch.Generator) -> UInt8[Tensor, "3 h w"]:
    """Returns one picture of dead leaves; all its randomness comes from the generator."""
    margin = math.ceil(3 * choice.blur)
    side = _FINE * (choice.size + 2 * margin)
    low, high = (_FINE * radius for radius in choice.radii)
    labels, leaves = partition(side, low, high, choice.exponent, choice.shape, generator)
    near, far = palette_colours(choice.palette, 2 * len(leaves.radii), generator).chunk(2)
    shares = _second_shares(choice, labels, leaves, generator)
    numbers = torch.from_numpy(labels)
    samples = torch.lerp(near[numbers], far[numbers], shares[..., None]).permute(2, 0, 1)
    # Sums of shifted views, whose order does not depend on the number of threads.
    steps = range(_FINE)
    image = sum((samples[:, i::_FINE, j::_FINE] for i in steps for j in steps), torch.zeros(())) / _FINE**2
    return to_bytes(filter_valid(image, gaussian_kernel(2 * margin + 1, choice.blur)) if margin else image)


def _second_shares(
    choice: DeadLeaves, labels: Int[np.ndarray, "s s"], leaves: Leaves, generator: torch.Generator
) -> Float[Tensor, "s s"]:
    """Returns how much of its leaf's second colour each sample has."""
    side, count = len(labels), len(leaves.radii)
    kind, strength, turn, one, two = uniform(5, count, generator)
    kinds = (
        (4 * kind).astype(np.int64) if choice.texture == "mixed" else np.full(count, _TEXTURES.index(choice.texture))
    )
    shortest = _SHORTEST_WAVE * _FINE
    lengths = shortest * np.maximum(leaves.radii / shortest, 1) ** one
    shares = np.zeros(side * side)
    for number, texture in enumerate(_TEXTURES[1:], start=1):
        places = np.flatnonzero((kinds == number)[labels.reshape(-1)])
        own = labels.reshape(-1)[places]
        rows, columns = np.divmod(places, side)
        if texture == "noise":
            down, right = ((side * shift).astype(np.int64)[own] for shift in (one, two))
            blend = _rough_field(side, generator)[(rows + down) % side, (columns + right) % side]
        else:
            angles = 2 * math.pi * turn
            along = (rows - leaves.rows[own]) * np.sin(angles)[own] + (columns - leaves.columns[own]) * np.cos(angles)[
                own
            ]
            waves = texture == "waves"
            blend = np.cos(2 * math.pi * (along / lengths[own] + two[own])) if waves else along / leaves.radii[own]
        shares[places] = choice.contrast * strength[own] * (1 + blend) / 2
    return torch.from_numpy(shares.astype(np.float32)).view(side, side)


def _rough_field(side: int, generator: torch.Generator) -> _Numbers:
    """Returns noise in [-1, 1] on a torus, its standard deviation 1/2 but for the clipping, of random roughness."""
    white = torch.randn(side, side, generator=generator, dtype=torch.float64).numpy()
    roughness = 0.5 + torch.rand((), generator=generator, dtype=torch.float64).item()
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(white) * frequency**-roughness, s=(side, side))
    clipped: _Numbers = np.clip(field / (2 * field.std()), -1, 1)
    return clipped
