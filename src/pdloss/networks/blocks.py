"""What several networks are made of."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pdloss.errors import SpecError


class ResidualBlock(nn.Module):
    """Two convolutions with a ReLU between, scaled, beside the identity; nothing after the sum.

    Args:
        width: Channels, in and out.
        scale: Factor on the two convolutions' branch.
        kernel: Side of both kernels, odd.
    """

    def __init__(self, width: int, scale: float = 1.0, kernel: int = 3) -> None:
        super().__init__()
        self.body = conv_relu_conv(width, kernel)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Returns x + scale * body(x)."""
        residual: Tensor = self.body(x)
        return torch.add(x, residual, alpha=self.scale)


def conv_relu_conv(width: int, kernel: int = 3) -> nn.Sequential:
    """Returns two convolutions that keep channels and size, with a ReLU between."""
    same = kernel // 2
    return nn.Sequential(
        nn.Conv2d(width, width, kernel, padding=same), nn.ReLU(), nn.Conv2d(width, width, kernel, padding=same)
    )


def check_rgb(degraded: Tensor) -> None:
    """Refuses images that are not RGB, such as the planes of a mosaic.

    Raises:
        SpecError: Naming the channels and what to choose.
    """
    if degraded.shape[1] != 3:
        raise SpecError(
            f"this network restores RGB images, and got {degraded.shape[1]} channels: choose mosaic(layout='masked'), "
            "or a network of your own that takes planes"
        )


class HalvingConv2d(nn.Conv2d):
    """A convolution with stride 2 on even sizes, padded as TensorFlow's ``SAME``: one more after than before.

    A kernel of 3 gets no zeros before and 1 after, one of 5 gets 1 and 2. The symmetric `padding=1` and `padding=2`
    would look one pixel further to the top left.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        kernel: Side of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, stride=2)
        before = (kernel - 2) // 2
        after = kernel - 2 - before
        self.zeros = (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, outputs, H/2, W/2) of (B, inputs, H, W)."""
        return super().forward(F.pad(x, self.zeros))
