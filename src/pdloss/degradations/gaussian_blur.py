"""Gaussian blur: a lens not quite in focus, before a sensor samples what it shows."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss.degradations.choice import DegradationChoice, plain
from pdloss.ops.convolution import convolve, convolve_adjoint
from pdloss.ops.filters import gaussian_kernel
from pdloss.specs import Range

_MILD = Range(0.0, 1.0)


@dataclass(frozen=True)
class GaussianBlur(DegradationChoice, name="gaussian_blur"):
    r"""Convolves the image with a Gaussian, the same in all directions; the border is mirrored.

    .. math:: y_p = \sum_q k_q \, x_{p - q}, \quad k_q \propto \exp\left(-\frac{|q|^2}{2 \sigma^2}\right)

    The kernel is sampled out to three standard deviations. The default, from none to a mild blur, is ours.

    Args:
        sigma: Standard deviation in pixels, or a range; 0 leaves the image as it is.

    Example:
        >>> spot = torch.zeros(1, 5, 5)
        >>> spot[0, 2, 2] = 1.0
        >>> GaussianBlur(sigma=0.5)(spot, torch.Generator())[0, 2].mul(100).round()
        tensor([ 0.,  8., 62.,  8.,  0.])
    """

    sigma: Annotated[float, Meta(ge=0, le=50)] | Range = _MILD

    def kernel_tensor(self) -> Float[Tensor, "k k"]:
        """Returns the kernel of what was drawn, float64.

        Raises:
            ValueError: If it has not been drawn.
        """
        sigma = plain(self.sigma)
        if sigma == 0:
            return torch.ones(1, 1, dtype=torch.float64)
        taps = gaussian_kernel(2 * math.ceil(3 * sigma) + 1, sigma)
        return torch.outer(taps, taps)

    def degraded(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
        """Returns the blurred image, which stays within the values that the clean one has; nothing more is drawn."""
        kernel = self.kernel_tensor()
        if kernel.numel() == 1:
            return clean
        # The weights make a mean; only the rounding of a Fourier transform leaves its range.
        return convolve(clean, kernel).to(clean.dtype).clamp(clean.min(), clean.max())

    def adjoint(self, degraded: Float[Tensor, "c h w"], like: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """Returns the image put through the transpose of the blur.

        Args:
            degraded: An image as the blur gives it.
            like: An image as the blur takes it; blurring keeps the size.
        """
        return convolve_adjoint(degraded, self.kernel_tensor())
