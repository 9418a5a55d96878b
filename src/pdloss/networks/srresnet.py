"""SRResNet, the generator of SRGAN (Ledig et al. 2017, https://arxiv.org/abs/1609.04802)."""

from dataclasses import dataclass
from typing import Annotated, Literal

from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.networks.blocks import check_rgb
from pdloss.specs import Choice


@dataclass(frozen=True)
class SRResNet(Choice, name="srresnet"):
    """The residual network with batch norm that enlarges images; the defaults are SRGAN's generator.

    Args:
        scale: Upscaling factor: 4 as published, or 2.
        blocks: Residual blocks: 16 as published.
        width: Channels: 64 as published.
        batch_norm: Whether to normalise over the batch, as published; later generators for adversarial training
            (ESRGAN, BasicSR's MSRGAN) leave it out, since it brings artefacts.
    """

    scale: Literal[2, 4] = 4
    blocks: Annotated[int, Meta(ge=1, le=1000)] = 16
    width: Annotated[int, Meta(ge=1, le=4096)] = 64
    batch_norm: bool = True

    def build(self) -> "SRResNetwork":
        """Returns the network with fresh weights, drawn from torch's global generator."""
        return SRResNetwork(self)


class SRResNetwork(nn.Module):
    """Enlarges images with an `SRResNet`; any size goes in.

    As published it reads images in [0, 1] and its last convolution writes them in [-1, 1], which `forward` brings
    back to [0, 1]. Batch statistics are those of the batch in training, and running means in eval mode.

    Args:
        choice: Blocks, width, scale, batch norm.
    """

    def __init__(self, choice: SRResNet) -> None:
        super().__init__()
        width, norm = choice.width, choice.batch_norm
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(_Block(width, norm) for _ in range(choice.blocks)), *_convolution(width, norm))
        steps: list[nn.Module] = []
        for _ in range(choice.scale // 2):
            steps += [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        self.tail = nn.Sequential(*steps, nn.Conv2d(width, 3, 9, padding=4))

    def forward(self, degraded: Images) -> Float[Tensor, "b 3 h2 w2"]:
        """Returns the restored batch (B, 3, scale*H, scale*W), not clipped."""
        check_rgb(degraded)
        x = self.head(degraded)
        signed: Tensor = self.tail(x + self.body(x))
        return (signed + 1) / 2


class _Block(nn.Module):
    """Two convolutions, normalised, with a PReLU between, beside the identity."""

    def __init__(self, width: int, norm: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(*_convolution(width, norm), nn.PReLU(), *_convolution(width, norm))

    def forward(self, x: Tensor) -> Tensor:
        """Returns x + body(x)."""
        residual: Tensor = self.body(x)
        return x + residual


def _convolution(width: int, norm: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(width, width, 3, padding=1)
    return [convolution, nn.BatchNorm2d(width)] if norm else [convolution]
