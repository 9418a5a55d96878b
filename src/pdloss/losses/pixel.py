"""Pixel losses: the fidelity term of eq. (5) and (6)."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.losses.choice import LossChoice
from pdloss.losses.image_loss import ImageLoss
from pdloss.ops.differences import Power, mean_difference
from pdloss.ops.options import check_option

__all__ = ["L1", "L2", "PixelLoss", "pixel_loss"]


def pixel_loss(restored: Images, target: Images, *, p: Power = 1) -> Float[Tensor, " b"]:
    r"""Returns the mean of :math:`|\hat x - x|^p` over channels and positions, one value per image.

    Args:
        restored: Restored images (B, 3, H, W) in [0, 1].
        target: What they should be, of the same shape.
        p: 1 for absolute, 2 for squared differences; no root is taken.

    Raises:
        ValueError: If `p` is neither.
    """
    return mean_difference(restored, target, p)


class PixelLoss(ImageLoss):
    """Measures the mean absolute (p = 1) or squared (p = 2) difference of pixels.

    Args:
        p: 1 or 2.
    """

    def __init__(self, *, p: Power = 1) -> None:
        super().__init__()
        check_option(Power, p=p)
        self.p = p

    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""
        return pixel_loss(restored, target, p=self.p)


@dataclass(frozen=True)
class L1(LossChoice, name="l1", module=PixelLoss):
    """Mean absolute difference of pixels."""

    def build(self) -> nn.Module:
        """Returns the module."""
        return self.module(p=1)


@dataclass(frozen=True)
class L2(LossChoice, name="l2", module=PixelLoss):
    """Mean squared difference of pixels."""

    def build(self) -> nn.Module:
        """Returns the module."""
        return self.module(p=2)
