"""A small network that imitates a large one's maps; it ships with the package, so nothing need be downloaded."""

from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import torch
import torch.nn.functional as F
from msgspec import Meta
from torch import Tensor, nn

from pdloss import assets
from pdloss._types import Images
from pdloss.devices import channels_last
from pdloss.errors import AssetError, SpecError
from pdloss.features.frozen import Frozen, chosen_layers, read_weights
from pdloss.ops.options import check_option

FOLDER = files("pdloss.features")
"""Where the editions that ship are."""


Edition = Literal["distilled", "distilled-1"]

_Size = Annotated[int, Meta(ge=1, le=4096)]
"""Of a header that somebody passed on: it shall not ask for all memory there is."""


class Plan(msgspec.Struct, frozen=True):
    """What the header of a file says of its network: the arguments of `DistilledNetwork`."""

    heads: Annotated[dict[str, tuple[_Size, _Size]], Meta(max_length=64)]
    widths: Annotated[tuple[_Size, ...], Meta(max_length=8)]
    blocks: Annotated[tuple[Annotated[int, Meta(ge=0, le=64)], ...], Meta(max_length=8)]
    start: Literal[1, 2] = 2


class Convolution(nn.Conv2d):
    """A convolution without groups in the precision of what it is given, whatever that of its weights."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the convolved maps."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.conv2d(x, self.weight.to(x.dtype), bias, self.stride, self.padding)


class Residual(nn.Module):
    """One 3x3 convolution beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Sequential(Convolution(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Returns relu(x + convolution(x))."""
        return F.relu(x + self.convolution(x))


class DistilledNetwork(nn.Module):
    """Imitates a backbone's maps with a chain of stages, each at half the resolution of the one before.

    With a `start` of 2, the first stage sees the image as 2x2 blocks of pixels (12 channels at half the resolution): no
    layer works at full resolution, which is where VGG spends a sixth of its time. With 1 it works there, so
    that a map of the image's own side can be imitated and no pattern of pixels is out of sight. A map at 1/2^k of the
    image's side is a 1x1 head on the stage of that resolution, at full resolution a 3x3 one. All convolutions in
    `stages` may carry a batch norm while training (`distillation`) and none afterwards.

    Args:
        heads: Channels and side divisor (1, 2, 4, 8, …) of every layer imitated.
        widths: Channels of each stage.
        blocks: Residual convolutions of each stage.
        start: Side divisor of the first stage, 1 or 2.
    """

    def __init__(
        self, heads: Mapping[str, tuple[int, int]], widths: Sequence[int], blocks: Sequence[int], start: int = 2
    ) -> None:
        super().__init__()
        self.start = start
        self.divisors = {layer: divisor for layer, (_, divisor) in heads.items()}
        stages: list[nn.Module] = []
        before = 3 * start**2
        for number, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            enter = Convolution(before, width, 3, padding=1) if number == 0 else Convolution(before, width, 2, stride=2)
            stages.append(nn.Sequential(nn.Sequential(enter), nn.ReLU(), *(Residual(width) for _ in range(count))))
            before = width
        self.stages = nn.ModuleList(stages)
        self.heads = nn.ModuleDict(
            {
                layer: _head(widths[stage_of(divisor, start)], channels, whole=divisor == 1)
                for layer, (channels, divisor) in heads.items()
            }
        )

    def forward(self, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Returns the imitated maps before their ReLU, if they have one; only stages and heads needed are computed."""
        height, width = (side // self.start * self.start for side in images.shape[-2:])
        x = F.pixel_unshuffle(images[..., :height, :width] * 4.5 - 2, self.start)
        x = x.contiguous(memory_format=torch.channels_last)
        maps: dict[str, Tensor] = {}
        last = max(self.divisors[layer] for layer in layers)
        for number, stage in enumerate(self.stages):
            divisor = self.start << number
            if divisor > last:
                break
            x = stage(x)
            maps |= {layer: self.heads[layer](x) for layer in layers if self.divisors[layer] == divisor}
        return {layer: maps[layer] for layer in layers}


def stage_of(divisor: int, start: int) -> int:
    """Returns which stage works at a divisor of the image's side, counted from 0.

    Raises:
        ValueError: If the first stage is coarser than that, or the divisor no power of two.
    """
    if divisor < start or divisor & (divisor - 1):
        raise ValueError(f"no stage works at 1/{divisor} of the image's side: the first works at 1/{start}")
    return (divisor // start).bit_length() - 1


def _head(before: int, channels: int, whole: bool) -> Convolution:
    return Convolution(before, channels, 3, padding=1) if whole else Convolution(before, channels, 1)


class DistilledFeatures(Frozen):
    """Computes maps of a small network that imitates a large one's, in the large one's units.

    Two editions ship with the package, each at about a fifth of its teacher's cost; a file's header says how close it
    comes. ``distilled`` imitates four layers of torchvision's VGG16, ``relu1_2``, ``relu2_2``, ``relu3_3`` and
    ``relu4_3``, and begins at full resolution, so that it sees what alternates from pixel to pixel as its teacher does.
    ``distilled-1``, the first, imitates VGG19's ``relu3_4`` and ``relu4_3`` (Caffe convention, so values reach
    thousands) and sees 2x2 pixels at a time. Make your own from another backbone with ``pdloss distill``.

    Args:
        layers: Names such as ``relu4_3``; by default all that the file holds.
        weights: A file written by ``pdloss distill``; by default the one shipped.
        edition: Which of those that ship.

    Raises:
        SpecError: If a layer is not in the file.
        AssetError: If the file is not one written by ``pdloss distill``, or is damaged.
    """

    def __init__(
        self, layers: Sequence[str] | None = None, weights: Path | None = None, edition: Edition = "distilled"
    ) -> None:
        super().__init__()
        if weights is not None:
            self._load(weights, layers)
        else:
            check_option(Edition, edition=edition)
            try:
                with as_file(FOLDER / f"{edition}.safetensors") as shipped:
                    self._load(shipped, layers)
            except SpecError as error:
                if edition == "distilled" and "relu3_4" in (layers or ()):
                    raise SpecError(f"{error}; the first edition, distilled-1, has relu3_4") from None
                raise

    def _load(self, path: Path, layers: Sequence[str] | None) -> None:
        try:
            plan = msgspec.json.decode(assets.metadata(path)["network"], type=Plan)
            network = DistilledNetwork(plan.heads, plan.widths, plan.blocks, plan.start)
        except (LookupError, ValueError):
            raise AssetError(
                f"{path} was not written by pdloss distill: its header does not describe a network"
            ) from None
        self.layers = chosen_layers(layers or list(plan.heads), list(plan.heads), path.stem)
        try:
            network.load_state_dict({name: tensor.float() for name, tensor in read_weights(path).items()})
        except RuntimeError:
            raise AssetError(f"{path} is damaged: its tensors are not those that its header describes") from None
        self.minimum_side = max(network.divisors[layer] for layer in self.layers)
        self.origin = self.describe(path)
        self.network = _with_buffers(channels_last(network)).eval()

    def forward(self, images: Images) -> dict[str, Tensor]:
        """Returns the maps (B, C, h, w) of the layers asked for.

        Raises:
            ValueError: If a side is so small that nothing is left at the deepest layer.
        """
        self.check_side(images)
        maps = self.network(images, self.layers)
        return {layer: F.relu(x) if layer.startswith("relu") else x for layer, x in maps.items()}


def _with_buffers(network: DistilledNetwork) -> DistilledNetwork:
    """Turns every parameter into a non-persistent buffer of the same name."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach(), persistent=False)
    return network
