"""NAFNet (Chen et al. 2022, https://arxiv.org/abs/2204.04676), as its authors' code defines it."""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from msgspec import Meta
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.errors import SpecError
from pdloss.networks.blocks import check_rgb
from pdloss.networks.padding import cropped, padded
from pdloss.specs import Choice

_Count = Annotated[int, Meta(ge=0, le=1000)]
_Counts = Annotated[tuple[_Count, ...], Meta(min_length=1, max_length=16)]


@dataclass(frozen=True)
class NAFNet(Choice, name="nafnet"):
    """The U-Net of blocks without activation functions; the defaults are its small network for deblurring.

    Published: width 32 or 64; for GoPro (deblurring) blocks as in the defaults; for SIDD (denoising)
    ``encoder=(2, 2, 4, 8), middle=12, decoder=(2, 2, 2, 2)``.

    Args:
        width: Channels at full size; each level below has twice as many.
        encoder: Blocks on each level on the way down, beginning at full size.
        middle: Blocks on the lowest level.
        decoder: Blocks on each level on the way up, ending at full size.
    """

    width: Annotated[int, Meta(ge=1, le=4096)] = 32
    encoder: _Counts = (1, 1, 1, 28)
    middle: _Count = 1
    decoder: _Counts = (1, 1, 1, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.encoder) != len(self.decoder):
            raise SpecError(
                f"nafnet(encoder={self.encoder}, decoder={self.decoder}): as many levels go up as go down; "
                "give both the same length"
            )

    def build(self) -> "NAFNetwork":
        """Returns the network with fresh weights, drawn from torch's global generator."""
        return NAFNetwork(self)


class NAFNetwork(nn.Module):
    """Restores images with a `NAFNet`; any size goes in.

    Sizes are padded to multiples of 2 to the power of the number of levels by repeating the border, where the authors'
    code pads with black. The names of its parameters are theirs, so that their weights fit. Channel attention
    averages over the whole image that comes in; the authors' TLC, which keeps it as local as the training crops were,
    is not part of it.

    Args:
        choice: Width and blocks.
    """

    def __init__(self, choice: NAFNet) -> None:
        super().__init__()
        levels = len(choice.encoder)
        widths = [choice.width * 2**level for level in range(levels + 1)]
        self.multiple = 2**levels
        self.intro = nn.Conv2d(3, choice.width, 3, padding=1)
        self.encoders = nn.ModuleList(_blocks(w, n) for w, n in zip(widths, choice.encoder, strict=False))
        self.downs = nn.ModuleList(nn.Conv2d(width, 2 * width, 2, stride=2) for width in widths[:-1])
        self.middle_blks = _blocks(widths[-1], choice.middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, 2 * width, 1, bias=False), nn.PixelShuffle(2)) for width in widths[:0:-1]
        )
        self.decoders = nn.ModuleList(_blocks(w, n) for w, n in zip(widths[-2::-1], choice.decoder, strict=True))
        self.ending = nn.Conv2d(choice.width, 3, 3, padding=1)

    def forward(self, degraded: Images) -> Images:
        """Returns the restored batch (B, 3, H, W), not clipped."""
        check_rgb(degraded)
        image = padded(degraded, self.multiple)
        x = self.intro(image)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x)
            skips.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for decoder, up in zip(self.decoders, self.ups, strict=True):
            x = decoder(up(x) + skips.pop())
        restored: Tensor = self.ending(x) + image
        return cropped(restored, degraded.shape[-2], degraded.shape[-1])


class NAFBlock(nn.Module):
    """Two gated branches, each normalised before and scaled after, one after the other beside the identity.

    The first looks around (3x3, each channel by itself) and weights the channels by their means; the second mixes
    channels. Both begin as nothing: their scales, beta and gamma, are zero.

    Args:
        width: Channels, in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(width)
        self.conv1 = nn.Conv2d(width, 2 * width, 1)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, width, 1))
        self.conv3 = nn.Conv2d(width, width, 1)
        self.norm2 = ChannelNorm(width)
        self.conv4 = nn.Conv2d(width, 2 * width, 1)
        self.conv5 = nn.Conv2d(width, width, 1)
        self.beta = nn.Parameter(torch.zeros(1, width, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Returns a batch of the same shape."""
        y = gated(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(y * self.sca(y))
        y = gated(self.conv4(self.norm2(x)))
        branch: Tensor = self.gamma * self.conv5(y)
        return x + branch


class ChannelNorm(nn.Module):
    """Normalises the channels of each pixel to mean 0 and variance 1, then scales and shifts each channel.

    Args:
        width: Channels.
        eps: Added to the variance, which is that of the population.
    """

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Returns a batch of the same shape; autocast computes it in float32."""
        last = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps)
        return last.permute(0, 3, 1, 2)


def gated(x: Tensor) -> Tensor:
    """Returns the first half of the channels times the second: the only nonlinearity besides norm and attention.

    Example:
        >>> gated(torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1, 1)).flatten()
        tensor([3., 8.])
    """
    first, second = x.chunk(2, 1)
    return first * second


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(NAFBlock(width) for _ in range(count)))
