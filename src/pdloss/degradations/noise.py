"""Additive Gaussian noise, clipped as an 8-bit camera would."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss.specs import Choice


@dataclass(frozen=True)
class GaussianNoise(Choice, name="noise"):
    r"""Adds white noise: :math:`y = \operatorname{clip}(x + \sigma n)`, :math:`n \sim \mathcal N(0, 1)` per value.

    The defaults are those read from the paper's input scores: a standard deviation of 100/255, clipped to [0, 1].

    Args:
        sigma: Standard deviation, in units of [0, 1]; text may say ``100/255``.
        clip: Whether to clip the result to [0, 1].

    Example:
        >>> clean = torch.full((3, 2, 2), 0.5)
        >>> GaussianNoise(sigma=0.0)(clean, torch.Generator()).equal(clean)
        True
    """

    sigma: Annotated[float, Meta(ge=0, le=10)] = 100 / 255
    clip: bool = True

    def __call__(self, clean: Float[Tensor, "3 h w"], generator: torch.Generator) -> Float[Tensor, "3 h w"]:
        """Returns the noisy image of one clean one; all randomness comes from the generator."""
        noise = torch.randn(clean.shape, generator=generator, dtype=clean.dtype, device=generator.device)
        noisy = clean + self.sigma * noise.to(clean.device)
        return noisy.clamp(0, 1) if self.clip else noisy
