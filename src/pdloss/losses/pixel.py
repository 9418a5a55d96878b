"""Pixel losses: the fidelity term of eq. (5) and (6)."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.losses.checks import CheckedPair
from pdloss.losses.choice import LossChoice
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Power = Literal[1, 2]
"""Of the differences: absolute or squared."""


def pixel_distance(restored: Images, target: Images, p: Power = 1) -> Float[Tensor, " b"]:
    r"""Returns the mean of :math:`|\hat x - x|^p` over channels and positions, one value per image.

    Args:
        restored: Restored images (B, 3, H, W) in [0, 1].
        target: What they should be, of the same shape.
        p: 1 for absolute, 2 for squared differences; no root is taken.

    Raises:
        ValueError: If `p` is neither.
    """
    check_option(Power, p=p)
    difference = at_least_float32(restored) - at_least_float32(target)
    return (difference.abs() if p == 1 else difference.square()).flatten(1).mean(-1)


class PixelLoss(nn.Module):
    """Measures the mean absolute (p = 1) or squared (p = 2) difference of pixels.

    Args:
        p: 1 or 2.
    """

    def __init__(self, p: Power = 1) -> None:
        super().__init__()
        self.check = CheckedPair()
        check_option(Power, p=p)
        self.p = p

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        """Returns the mean over the batch; gradients reach `restored` only.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape.
        """
        self.check(restored, target)
        return pixel_distance(restored, target.detach(), self.p).mean()


@dataclass(frozen=True)
class L1(LossChoice, name="l1"):
    """Mean absolute difference of pixels."""

    def build(self) -> PixelLoss:
        """Returns the module."""
        return PixelLoss(1)


@dataclass(frozen=True)
class L2(LossChoice, name="l2"):
    """Mean squared difference of pixels."""

    def build(self) -> PixelLoss:
        """Returns the module."""
        return PixelLoss(2)
