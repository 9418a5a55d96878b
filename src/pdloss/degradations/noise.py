"""Noise: additive and Gaussian, or as a sensor's, whose variance grows with the light."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss.degradations.choice import DegradationChoice, plain, white_noise
from pdloss.errors import SpecError
from pdloss.specs import Range


@dataclass(frozen=True)
class GaussianNoise(DegradationChoice, name="noise"):
    r"""Adds white noise: :math:`y = \operatorname{clip}(x + \sigma n)`, :math:`n \sim \mathcal N(0, 1)` per value.

    The defaults are those read from the paper's input scores: a standard deviation of 100/255, clipped to [0, 1].

    Args:
        sigma: Standard deviation, in units of [0, 1], or a range; text may say ``100/255`` or ``0..5/255``.
        clip: Whether to clip the result to [0, 1].

    Example:
        >>> clean = torch.full((3, 2, 2), 0.5)
        >>> GaussianNoise(sigma=0.0)(clean, torch.Generator()).equal(clean)
        True
    """

    pointwise: ClassVar[bool] = True
    sigma: Annotated[float, Meta(ge=0)] | Range = 100 / 255
    clip: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        largest = self.sigma.high if isinstance(self.sigma, Range) else self.sigma
        if largest > 1:
            raise SpecError(
                f"noise(sigma={self.sigma}): sigma is for values in [0, 1]; grey levels are {largest:g}/255"
            )

    def degraded(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
        """Returns the noisy image of one clean one; all randomness comes from the generator."""
        noisy = clean + plain(self.sigma) * white_noise(clean, generator)
        return noisy.clamp(0, 1) if self.clip else noisy


@dataclass(frozen=True)
class PoissonGaussianNoise(DegradationChoice, name="poisson_gaussian"):
    r"""Counts photons and reads them out: :math:`y = \operatorname{clip}(s k + r n)`, :math:`k \sim \mathcal P(x / s)`.

    With :math:`n \sim \mathcal N(0, 1)`, the mean is :math:`x` and the variance :math:`s x + r^2`, before clipping: a
    straight line in the light, as measured on sensors. White is :math:`1 / s` photons. Negative values, which an
    unclipped degradation may leave, have no photons, and keep their value as an offset. The defaults, a standard
    deviation of 0.02 in the dark and of 0.10 at white, are ours.

    Args:
        shot: :math:`s`, variance of white due to the photons, or a range; 0 leaves Gaussian noise alone.
        read: :math:`r`, standard deviation of the read-out, in units of [0, 1], or a range.
        clip: Whether to clip the result to [0, 1].

    Example:
        >>> noisy = PoissonGaussianNoise(shot=0.25, read=0.0)(torch.full((3, 2, 2), 0.5), torch.Generator())
        >>> bool((noisy * 4 == (noisy * 4).round()).all())
        True

    References:
        | Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data (Foi et al., 2008)
        | https://doi.org/10.1109/TIP.2008.2001399
    """

    pointwise: ClassVar[bool] = True
    shot: Annotated[float, Meta(ge=0, le=1)] | Range = 0.01
    read: Annotated[float, Meta(ge=0, le=10)] | Range = 0.02
    clip: bool = True

    def degraded(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
        """Returns the noisy image of one clean one; all randomness comes from the generator."""
        shot, lit = plain(self.shot), clean.clamp(min=0)
        noisy = clean
        # Below one part in 10^12 the photons' noise is under a millionth, and their number past what is counted well.
        if shot > 1e-12:
            rates = (lit.double() / shot).to(generator.device)
            noisy = clean + (shot * torch.poisson(rates, generator).to(clean.device)).to(clean.dtype) - lit
        noisy = noisy + plain(self.read) * white_noise(clean, generator)
        return noisy.clamp(0, 1) if self.clip else noisy
