"""EDSR (Lim et al. 2017, https://arxiv.org/abs/1707.02921), as its authors' code defines it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.errors import SpecError
from pdloss.networks.blocks import ResidualBlock, check_rgb
from pdloss.networks.padding import cropped, padded
from pdloss.networks.upsampling import Upsampling, enlarged
from pdloss.specs import Choice

# Mean colour of DIV2K, subtracted from the input and added to the output.
_DIV2K_MEAN = (0.4488, 0.4371, 0.4040)


@dataclass(frozen=True)
class EDSR(Choice, name="edsr"):
    """The residual network without batch norm; the defaults are its baseline, at the image's own size.

    Args:
        scale: Upscaling factor: 2, 3 or 4 as published; 1 for tasks whose output has the size of their input.
        blocks: Residual blocks: 16 in the baseline, 32 in the full network.
        width: Channels: 64 in the baseline, 256 in the full network.
        residual_scale: Factor on every residual branch: 1 in the baseline, 0.1 in the full network.
        unshuffle: With scale 1 only: the network works on blocks of this many pixels a side, at a cost smaller by
            its square. Ours, for small machines.
        upsampling: How the last layers enlarge: ``shuffle`` as published; ``icnr`` or, best, ``resize`` against the
            mesh that a shuffle can leave, see `pdloss.networks.upsampling`.
    """

    scale: Literal[1, 2, 3, 4] = 1
    blocks: Annotated[int, Meta(ge=1, le=1000)] = 16
    width: Annotated[int, Meta(ge=1, le=4096)] = 64
    residual_scale: Annotated[float, Meta(gt=0)] = 1.0
    unshuffle: Annotated[int, Meta(ge=1, le=8)] = 1
    upsampling: Upsampling = "shuffle"
    later_options: ClassVar[tuple[str, ...]] = ("upsampling",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unshuffle > 1 and self.scale > 1:
            raise SpecError(f"edsr(unshuffle={self.unshuffle}) needs scale=1, got scale={self.scale}")
        if self.upsampling != "shuffle" and self.unshuffle == self.scale == 1:
            raise SpecError(f"edsr(upsampling={self.upsampling!r}) enlarges nothing; set scale or unshuffle")

    def build(self) -> "EDSRNetwork":
        """Returns the network with fresh weights, drawn from torch's global generator."""
        return EDSRNetwork(self)


def _tail(choice: EDSR) -> nn.Sequential:
    """Returns the layers behind the body: as published, ×2 and ×3 in one step and ×4 in two, and then a convolution."""
    width, how = choice.width, choice.upsampling
    if choice.unshuffle > 1:
        return nn.Sequential(*enlarged(width, 3, choice.unshuffle, how))
    steps = {1: [], 2: [2], 3: [3], 4: [2, 2]}[choice.scale]
    modules = [module for step in steps for module in enlarged(width, width, step, how)]
    return nn.Sequential(*modules, nn.Conv2d(width, 3, 3, padding=1))


class EDSRNetwork(nn.Module):
    """Restores images with an `EDSR`; any size goes in.

    Args:
        choice: Blocks, width, scale.
    """

    mean: Tensor

    def __init__(self, choice: EDSR) -> None:
        super().__init__()
        width, block = choice.width, choice.unshuffle
        self.unshuffle = self.multiple = block
        self.head = nn.Conv2d(3 * block**2, width, 3, padding=1)
        self.body = nn.Sequential(
            *(ResidualBlock(width, choice.residual_scale) for _ in range(choice.blocks)),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.tail = _tail(choice)
        mean = torch.tensor(_DIV2K_MEAN)
        if mean.is_meta:  # a network laid out on the meta device gets its weights later, but nothing brings this
            mean = torch.tensor(_DIV2K_MEAN, device="cpu")
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)

    def forward(self, degraded: Images) -> Float[Tensor, "b 3 h2 w2"]:
        """Returns the restored batch (B, 3, scale*H, scale*W), not clipped."""
        check_rgb(degraded)
        x = degraded - self.mean
        height, width = x.shape[-2:]
        if self.unshuffle > 1:
            x = F.pixel_unshuffle(padded(x, self.unshuffle), self.unshuffle)
        x = self.head(x)
        x = self.tail(x + self.body(x))
        if self.unshuffle > 1:
            x = cropped(x, height, width)
        return x + self.mean
