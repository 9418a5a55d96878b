"""Critics: networks that learn to tell restored images from real ones, while a restoration network learns to pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch.nn.functional as F
from msgspec import Meta
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from pdloss._types import OWN_CRITIC
from pdloss.specs import Choice, Family
from pdloss.specs.trust import TYPED


class SRGANCritic(nn.Module):
    """Judges a whole image of one size, as SRGAN's discriminator: one logit each, higher for real.

    Eight 3x3 convolutions, every second one with stride 2, with batch norm but after the first; then two dense layers.

    Args:
        size: Side of the images in pixels, a multiple of 16.
        width: Channels of the first convolution; the last has eight times as many.

    References:
        | Photo-Realistic Single Image Super-Resolution Using a GAN (Ledig et al., 2017), figure 4
        | https://arxiv.org/abs/1609.04802
    """

    def __init__(self, size: int = 96, width: int = 64) -> None:
        super().__init__()
        self.size = size
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.LeakyReLU(0.2)]
        channels = width
        for index, wider in enumerate((1, 2, 2, 4, 4, 8, 8)):
            stride = 1 if index % 2 else 2
            # Batch norm has a bias of its own, yet the published network counts the convolution's too.
            layers += [nn.Conv2d(channels, wider * width, 3, stride, padding=1), nn.BatchNorm2d(wider * width)]
            layers += [nn.LeakyReLU(0.2)]
            channels = wider * width
        self.convolutions = nn.Sequential(*layers)
        side = size // 16
        self.verdict = nn.Sequential(nn.Linear(channels * side**2, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Returns one logit per image, (B, 1).

        Raises:
            ValueError: If the images have another size than the dense layer was made for.
        """
        if images.shape[-2:] != (self.size, self.size):
            height, width = images.shape[-2:]
            raise ValueError(
                f"the critic srgan(size={self.size}) takes images of {self.size}x{self.size}, got {height}x{width}; "
                f"say critic='srgan(size={height})', or critic='unet', which takes any size"
            )
        verdict: Tensor = self.verdict(self.convolutions(images).flatten(1))
        return verdict


class UNetCritic(nn.Module):
    """Judges every pixel of images of any size, as Real-ESRGAN's discriminator: a U-Net with spectral norm.

    Args:
        width: Channels of the first convolution.

    References:
        | Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data (Wang et al., 2021), figure 6
        | https://arxiv.org/abs/2107.10833
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.width = w = width
        self.first = nn.Conv2d(3, w, 3, padding=1)
        self.down = nn.ModuleList(
            spectral_norm(nn.Conv2d(c, 2 * c, 4, 2, padding=1, bias=False)) for c in (w, 2 * w, 4 * w)
        )
        self.up = nn.ModuleList(spectral_norm(nn.Conv2d(2 * c, c, 3, padding=1, bias=False)) for c in (4 * w, 2 * w, w))
        self.last = nn.ModuleList(spectral_norm(nn.Conv2d(w, w, 3, padding=1, bias=False)) for _ in range(2))
        self.verdict = nn.Conv2d(w, 1, 3, padding=1)

    def __reduce__(self) -> tuple[Any, ...]:
        # torch pickles no module with spectral norm, and so none would reach another process.
        return _unet_critic, (self.width, self.state_dict(), self.training)

    def forward(self, images: Tensor) -> Tensor:
        """Returns one logit per pixel, (B, 1, H, W).

        Raises:
            ValueError: If a side is below 8 pixels.
        """
        if min(images.shape[-2:]) < 8:
            height, width = images.shape[-2:]
            raise ValueError(f"the critic unet takes images of at least 8 pixels a side, got {height}x{width}")
        x = F.leaky_relu(self.first(images), 0.2)
        skipped = []
        for down in self.down:
            skipped.append(x)
            x = F.leaky_relu(down(x), 0.2)
        for up in self.up:
            skip = skipped.pop()
            x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
            x = F.leaky_relu(up(x), 0.2) + skip
        for last in self.last:
            x = F.leaky_relu(last(x), 0.2)
        verdict: Tensor = self.verdict(x)
        return verdict


def _unet_critic(width: int, state: Mapping[str, Tensor], training: bool) -> UNetCritic:
    critic = UNetCritic(width)
    critic.load_state_dict(state, assign=True)
    return critic.train(training)


@dataclass(frozen=True)
class SRGAN(Choice, name="srgan"):
    """SRGAN's discriminator, for images of one size; 23,565,505 parameters at 96 pixels."""

    size: Annotated[int, Meta(ge=16, le=4096, multiple_of=16)] = 96
    width: Annotated[int, Meta(ge=1, le=4096)] = 64

    def build(self) -> SRGANCritic:
        """Returns the network."""
        return SRGANCritic(self.size, self.width)


@dataclass(frozen=True)
class UNet(Choice, name="unet"):
    """A U-Net with spectral norm that judges every pixel, for images of any size."""

    width: Annotated[int, Meta(ge=1, le=4096)] = 64

    def build(self) -> UNetCritic:
        """Returns the network."""
        return UNetCritic(self.width)


CRITICS = Family("critic", (SRGAN, UNet), OWN_CRITIC)


def critic(text: str) -> nn.Module:
    """Returns the critic that `text` names, such as ``"srgan(size=96)"``, ``"unet"`` or ``"package.module:Name"``.

    It takes the word of an option, which was looked at where the text of the loss was read.

    Raises:
        SpecError: If a name, an option or a value is wrong.
    """
    built: nn.Module = CRITICS.parse(text, TYPED).build()
    return built
