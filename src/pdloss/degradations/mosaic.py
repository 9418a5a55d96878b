"""A Bayer sensor: one colour at each pixel, with its noise."""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss.degradations.choice import DegradationChoice, plain, white_noise
from pdloss.errors import ImageError
from pdloss.ops.bayer import bayer_masked, bayer_packed, bayer_plane, bayer_unpacked
from pdloss.specs import Range

_MILD = Range(0.0, 5 / 255)


@dataclass(frozen=True)
class BayerMosaic(DegradationChoice, name="mosaic"):
    """Keeps one colour at each pixel, adds Gaussian noise to it and clips it to [0, 1].

    Works on the values of the image as they are, without going back to linear light, as the paper does.

    A network with three input channels takes ``masked``, the default. ``plane`` and ``packed`` are for networks with
    one and four; with ``packed``, all sides are halved (`factor` is 2), so that such a network ends in an enlargement
    by 2 and crops are even. Noise falls on the sensor, so that one generator gives one mosaic in all three layouts.

    `pdloss.ops.bayer` has the bilinear and the Malvar-He-Cutler way back to three colours, to compare with.

    Args:
        pattern: Letters of row 0, then of row 1.
        noise: Standard deviation, in units of [0, 1], or a range; the default, mild noise, is ours.
        layout: ``masked``: RGB, zero where a colour is not measured, (3, H, W). ``plane``: the mosaic, (1, H, W).
            ``packed``: the four sites of each 2x2 block, in the pattern's order, (4, H/2, W/2).

    Example:
        >>> BayerMosaic(noise=0.0)(torch.ones(3, 2, 2), torch.Generator()).int().tolist()
        [[[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]]]
    """

    pattern: Literal["RGGB", "GRBG", "BGGR", "GBRG"] = "RGGB"
    noise: Annotated[float, Meta(ge=0, le=10)] | Range = _MILD
    layout: Literal["masked", "plane", "packed"] = "masked"

    @property
    def factor(self) -> int:
        """How many times smaller each side gets."""
        return 2 if self.layout == "packed" else 1

    def degraded(self, clean: Float[Tensor, "3 h w"], generator: torch.Generator) -> Float[Tensor, "c h2 w2"]:
        """Returns the mosaic of one clean image; all randomness comes from the generator.

        Raises:
            ImageError: If a side is odd, and the layout packed.
        """
        height, width = clean.shape[1:]
        if self.layout == "packed" and (height % 2 or width % 2):
            raise ImageError(
                f"an image of {height}x{width} (height x width) has no whole 2x2 blocks for {self}: "
                f"crop it to {height // 2 * 2}x{width // 2 * 2} first"
            )
        plane = bayer_plane(clean, self.pattern)
        if sigma := plain(self.noise):
            plane = plane + sigma * white_noise(plane, generator)
        return self._laid_out(plane.clamp(0, 1))

    def at_its_sites(self, mosaic: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """Returns a mosaic of this layout with zeros where no colour is measured."""
        return bayer_masked(bayer_plane(mosaic, self.pattern), self.pattern) if self.layout == "masked" else mosaic

    def adjoint(self, degraded: Float[Tensor, "c h2 w2"], like: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
        """Returns the degraded image put through the transpose of the mosaic without noise and clipping.

        Args:
            degraded: An image as the mosaic gives it.
            like: An image as the mosaic takes it; only its size matters.
        """
        if self.layout == "masked":
            return self.at_its_sites(degraded)
        return bayer_masked(bayer_unpacked(degraded) if self.layout == "packed" else degraded, self.pattern)

    def _laid_out(self, plane: Tensor) -> Tensor:
        if self.layout == "masked":
            return bayer_masked(plane, self.pattern)
        return bayer_packed(plane) if self.layout == "packed" else plane
