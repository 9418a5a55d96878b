"""The three scales of SRN and DsDeblur: a small image is restored first and guides the next, twice as large.

At each scale a network of three levels sees the degraded image beside the previous scale's result, made as large; at
the coarsest, beside itself. What changes the level (*changes*) and what works within one (*stages*) are given, so that
sharing weights between scales means calling the same module again.
"""

from collections.abc import Iterable
from typing import Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.networks.blocks import HalvingConv2d, check_rgb
from pdloss.networks.padding import cropped, padded
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Resize = Literal["antialiased", "tf1"]

FACTORS = (4, 2, 1)
"""How much smaller each scale is, coarse to fine."""

_Scaled = Float[Tensor, "b 3 _ _"]

_STAGES = ("enc1", "enc2", "enc3", "dec3", "dec2", "dec1")


def resize_tf1(images: Float[Tensor, "b c h w"], size: tuple[int, int]) -> Float[Tensor, "b c h2 w2"]:
    r"""Returns the images resized as TensorFlow 1 does it by default: bilinear between corners, without antialiasing.

    Output pixel :math:`i` of :math:`n` lies at :math:`i \cdot h / n` of :math:`h` input pixels. Made smaller by a
    whole factor, an image is decimated; made larger, it moves by half a pixel to the top left.

    Args:
        images: Values, (B, C, H, W).
        size: The height and width wanted.

    Example:
        >>> resize_tf1(torch.arange(9.0).view(1, 1, 3, 3), (2, 2))
        tensor([[[[0.0000, 1.5000],
                  [4.5000, 6.0000]]]])
    """
    for dim, wanted in zip((-2, -1), size, strict=True):
        given = images.shape[dim]
        place = torch.arange(wanted, device=images.device) * given / wanted
        low = place.long()
        high = (low + 1).clamp(max=given - 1)
        share = (place - low).to(images.dtype).view(-1, *(1,) * (-1 - dim))
        images = torch.lerp(images.index_select(dim, low), images.index_select(dim, high), share)
    return images


def resized(
    images: Float[Tensor, "b c h w"], size: tuple[int, int], how: Resize = "antialiased"
) -> Float[Tensor, "b c h2 w2"]:
    """Returns the images in another size.

    Args:
        images: Values, (B, C, H, W).
        size: The height and width wanted.
        how: ``antialiased``: bilinear, about the pixels' centres, over as many pixels as fall into one when made
            smaller; or ``tf1``: see :func:`resize_tf1`.

    Raises:
        ValueError: If `how` is unknown.
    """
    check_option(Resize, how=how)
    if tuple(images.shape[-2:]) == size:
        return images
    if how == "tf1":
        return resize_tf1(images, size)
    # In float32: the CPU has no such kernel for bfloat16.
    return F.interpolate(at_least_float32(images), size=size, mode="bilinear", antialias=True)


class LevelChanges(nn.Module):
    """The layers that go in, between the levels of size 1, 1/2 and 1/4, and out.

    Args:
        channels: Channels of an image; both images at the entrance have as many.
        width: Channels at full size; twice and four times as many below.
        kernel: Side of the kernels; those that enlarge have a side of 4.
    """

    def __init__(self, channels: int, width: int, kernel: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(2 * channels, width, kernel, padding=kernel // 2)
        self.down2 = HalvingConv2d(width, 2 * width, kernel)
        self.down3 = HalvingConv2d(2 * width, 4 * width, kernel)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1)
        self.leave = nn.Conv2d(width, channels, kernel, padding=kernel // 2)


class Memory(nn.Module):
    """A convolutional LSTM: what one scale has seen at the coarsest level, for the next scale.

    Args:
        width: Channels of its input, its output and its cell.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, padding=1)

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Returns the output and the new state: cell and output, one after the other along the channels.

        Args:
            x: What comes in, (B, C, H, W).
            state: The state before, (B, 2C, H, W); None for zeros.
        """
        cell, hidden = (torch.zeros_like(x), torch.zeros_like(x)) if state is None else state.chunk(2, 1)
        take, new, keep, give = self.gates(torch.cat([x, hidden.to(x.dtype)], 1)).chunk(4, 1)
        cell = cell * torch.sigmoid(keep + 1) + torch.sigmoid(take) * torch.tanh(new)
        hidden = torch.tanh(cell) * torch.sigmoid(give)
        return hidden, torch.cat([cell, hidden], 1)


class MultiScaleNetwork(nn.Module):
    """Restores images at three scales, coarse to fine; any size goes in.

    Sizes are padded to multiples of 16 by repeating the border, as the authors' scripts pad theirs.

    Args:
        changes: The layers between levels: of all scales, or of each, coarse to fine.
        stages: What works within the levels, shared by all scales: enc1, enc2, enc3, dec3, dec2, dec1.
        memory: Carries what was seen from scale to scale.
        planes: Whether each colour plane is an image by itself.
        resize: How images and states change size.
        detach: Whether the gradient stops between scales.
        residual: Whether the result is added to the degraded image.

    Raises:
        ValueError: If `resize` is unknown.
    """

    multiple = 16
    """Two halvings at the coarsest of the scales."""

    def __init__(
        self,
        changes: Iterable[LevelChanges],
        stages: Iterable[nn.Module],
        memory: Memory | None = None,
        *,
        planes: bool,
        resize: Resize,
        detach: bool,
        residual: bool,
    ) -> None:
        super().__init__()
        check_option(Resize, resize=resize)
        self.changes = nn.ModuleList(changes)
        self.stages = nn.ModuleDict(dict(zip(_STAGES, stages, strict=True)))
        self.memory = memory
        self.planes, self.resize, self.detach, self.residual = planes, resize, detach, residual
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if memory is not None:
            nn.init.trunc_normal_(memory.gates.weight, std=1e-3, a=-2e-3, b=2e-3)

    def forward(self, degraded: Images) -> Images:
        """Returns the restored batch (B, 3, H, W), not clipped: the finest scale."""
        return self.forward_scales(degraded)[-1]

    def forward_scales(self, degraded: Images) -> tuple[_Scaled, ...]:
        """Returns the restored batches of all scales, coarse to fine, not clipped.

        Their heights are H/4, H/2 and H, rounded up; their targets come from `target_scales`.
        """
        check_rgb(degraded)
        images = degraded.flatten(0, 1).unsqueeze(1) if self.planes else degraded
        previous, state, results = None, None, []
        for index, image in enumerate(self._pyramid(images)):
            size = (image.shape[-2], image.shape[-1])
            guide = image if previous is None else resized(previous, size, self.resize)
            if state is not None:
                state = resized(state, (size[0] // 4, size[1] // 4), self.resize)
            previous, state = self._at_scale(index, image, guide.detach() if self.detach else guide, state)
            results.append(previous.reshape(degraded.shape[0], 3, *size))
        return _cropped(results, degraded)

    def target_scales(self, target: Images) -> tuple[_Scaled, ...]:
        """Returns what the results of `forward_scales` should be: the target in their sizes."""
        return _cropped(self._pyramid(target), target)

    def _pyramid(self, images: Tensor) -> list[Tensor]:
        images = padded(images, self.multiple)
        height, width = images.shape[-2:]
        return [resized(images, (height // factor, width // factor), self.resize) for factor in FACTORS]

    def _at_scale(self, index: int, image: Tensor, guide: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor | None]:
        changes, stages = cast(LevelChanges, self.changes[index % len(self.changes)]), self.stages
        full = stages["enc1"](F.relu(changes.enter(torch.cat([image, guide], 1))))
        half = stages["enc2"](F.relu(changes.down2(full)))
        x = stages["enc3"](F.relu(changes.down3(half)))
        if self.memory is not None:
            x, state = self.memory(x, state)
        x = F.relu(changes.up2(stages["dec3"](x))) + half
        x = F.relu(changes.up1(stages["dec2"](x))) + full
        restored: Tensor = changes.leave(stages["dec1"](x))
        return restored + image if self.residual else restored, state


def _cropped(scales: Iterable[Tensor], images: Tensor) -> tuple[Tensor, ...]:
    """Returns each scale without what padding added; a pixel that holds any of the image stays."""
    height, width = images.shape[-2:]
    sides = [((height + f - 1) // f, (width + f - 1) // f) for f in FACTORS]
    return tuple(cropped(x, *side) for x, side in zip(scales, sides, strict=True))
