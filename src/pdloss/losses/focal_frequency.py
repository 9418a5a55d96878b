"""The focal frequency loss: spectra compared, the frequencies that are furthest off the most."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss._types import Images
from pdloss.losses.choice import LossChoice
from pdloss.losses.image_loss import ImageLoss
from pdloss.ops.dtypes import at_least_float32

__all__ = ["FocalFrequency", "FocalFrequencyLoss", "focal_frequency_loss"]


def focal_frequency_loss(restored: Images, target: Images, *, alpha: float = 1.0) -> Float[Tensor, " b"]:
    r"""Returns the mean squared difference of spectra, weighted by how large it is, one value per image.

    .. math:: \frac{1}{3 H W} \sum_{c u v} w_{c u v} |D_{c u v}|^2, \quad
              w_{c u v} = \left(\frac{|D_{c u v}|}{\max_{u v} |D_{c u v}|}\right)^\alpha

    where :math:`D` is the orthonormal discrete Fourier transform of :math:`\hat x - x`, channel by channel, and the
    maximum is that of each image and channel. The weights are constants of the gradient, and 0/0 counts as 0.
    With :math:`\alpha = 0` this is the mean squared difference of pixels (Parseval).

    The published options ``log_matrix``, ``batch_matrix``, ``ave_spectrum`` and ``patch_factor`` are left out, as they
    are off by default.

    Args:
        restored: Restored images (B, 3, H, W) in [0, 1].
        target: What they should be, of the same shape.
        alpha: How much the frequencies that are further off count more, at least 0.

    Example:
        >>> shift = torch.tensor([0.5, 0.0, 0.0]).view(1, 3, 1, 1)  # all of it in one frequency of one channel
        >>> black = torch.zeros(1, 3, 4, 4)
        >>> focal_frequency_loss(black + shift, black)  # 0.5 squared, over three channels
        tensor([0.0833])

    References:
        | Focal Frequency Loss for Image Reconstruction and Synthesis (Jiang et al., 2021)
        | https://arxiv.org/abs/2012.12821
    """
    difference = at_least_float32(restored) - at_least_float32(target)
    spectrum = torch.view_as_real(torch.fft.fft2(difference, norm="ortho"))
    power = spectrum.square().sum(dim=-1)  # (B, 3, H, W)
    with torch.no_grad():
        largest = power.amax(dim=(2, 3), keepdim=True)
        share = torch.where(largest > 0, power / largest, 0.0)  # of the squares, hence half of alpha
        weight = share.pow(alpha / 2)
    return (weight * power).mean(dim=(1, 2, 3))


class FocalFrequencyLoss(ImageLoss):
    """Measures the difference of spectra, `focal_frequency_loss`, averaged over the batch.

    Computes in float32 even under autocast.

    Args:
        alpha: How much the frequencies that are further off count more; 0 is the mean squared difference of pixels.

    Raises:
        ValueError: If `alpha` is negative.
    """

    def __init__(self, *, alpha: float = 1.0) -> None:
        super().__init__()
        if not alpha >= 0:
            raise ValueError(f"alpha must not be negative, got {alpha}")
        self.alpha = alpha

    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""
        return focal_frequency_loss(restored, target, alpha=self.alpha)


@dataclass(frozen=True)
class FocalFrequency(LossChoice, name="focal_frequency", module=FocalFrequencyLoss):
    """Squared difference of spectra, the frequencies that are furthest off the most (Jiang et al. 2021)."""

    alpha: Annotated[float, Meta(ge=0)] = 1.0
