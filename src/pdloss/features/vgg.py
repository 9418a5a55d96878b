"""VGG16 and VGG19 up to the layers asked for, frozen; torchvision's state-dict keys, no classifier.

Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556. ``conv4_3`` is the map before its ReLU, ``relu4_3``
after it, ``pool4`` after the pooling that closes block 4.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss import assets
from pdloss._types import Images
from pdloss.assets.catalogue import CAFFE_MEAN, IMAGENET_MEAN, IMAGENET_STD
from pdloss.errors import AssetError
from pdloss.features.frozen import Frozen, chosen_layers, read_weights
from pdloss.ops.options import check_option

Depth = Literal["vgg16", "vgg19"]
Convention = Literal["caffe", "torchvision"]

_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_KERNEL = re.compile(r"features\.(\d+)\.weight")
_FIRST_BLOCK = 4
"""Layers before the first pooling."""
_WIDTHS = (64, 128, 256, 512, 512)


def layer_plan(depth: Depth) -> list[tuple[str, int]]:
    """Returns every layer of ``vgg16`` or ``vgg19`` in order, with its index in torchvision's ``features``.

    Raises:
        ValueError: If the depth is unknown.
    """
    check_option(Depth, depth=depth)
    plan: list[str] = []
    for block, convolutions in enumerate(_CONVOLUTIONS[depth], start=1):
        for number in range(1, convolutions + 1):
            plan += [f"conv{block}_{number}", f"relu{block}_{number}"]
        plan.append(f"pool{block}")
    return [(name, index) for index, name in enumerate(plan)]


def check_network(path: Path, tensors: Mapping[str, Tensor], depth: Depth, layers: Sequence[str]) -> None:
    """Refuses tensors that are not those of the network's layers: torchvision's keys, VGG's shapes, finite numbers.

    Raises:
        AssetError: Naming the first tensor that is missing, too much, or of another shape.
    """
    plan = layer_plan(depth)
    convolutions = {index: name for name, index in plan if name.startswith("conv")}
    held = [key for key in tensors if (found := _KERNEL.fullmatch(key)) and int(found[1]) not in convolutions]
    if held:
        raise AssetError(f"{path} holds another network than {depth}, which has no convolution {held[0]}")
    before = 3
    for index, name in convolutions.items():
        width = _WIDTHS[int(name[4]) - 1]
        if name in layers:
            for part, shape in (("weight", (width, before, 3, 3)), ("bias", (width,))):
                _check_tensor(path, tensors, f"features.{index}.{part}", shape, f"{name} of {depth}")
        before = width


def _check_tensor(path: Path, tensors: Mapping[str, Tensor], key: str, shape: tuple[int, ...], what: str) -> None:
    if key not in tensors:
        kind = what.rpartition(" ")[2]
        raise AssetError(f"{path} is not a {kind} with torchvision's keys: it lacks {key!r} ({what})")
    if tuple(tensors[key].shape) != shape:
        raise AssetError(f"{path} is no such network: {key}, {what}, should be {shape}, is {tuple(tensors[key].shape)}")
    if not tensors[key].is_floating_point() or not bool(tensors[key].isfinite().all()):
        raise AssetError(f"{path} holds values in {key} that are not finite numbers; fetch or write it anew")


def max_pool(x: Tensor) -> Tensor:
    """Returns the largest value of every 2x2 block; an odd side loses its last row or column."""
    return F.max_pool2d(x, 2)


class VGGFeatures(Frozen):
    """Computes maps of a pretrained VGG; the base of `VGG16Features` and `VGG19Features`.

    Only the layers needed are computed, in the precision of the images or autocast's. The weights are buffers, on no
    optimiser's list and in no state dict, and the module stays in eval mode whatever its parent does.

    Args:
        layers: Names such as ``relu4_3`` (after the ReLU), ``conv4_3`` (before it), ``pool4``.
        weights: A safetensors file with torchvision's keys, whose header says its ``input_convention``; by default the
            original ones, in Caffe's convention, which give the losses' weights their usual size.
        convention: What the weights take, ``caffe`` or ``torchvision``, where their header does not say it.
        pool: Halves both sides of a map after each block: by default the maximum of 2x2 blocks, as VGG was trained.

    Raises:
        SpecError: If a layer does not exist.
        ValueError: If the convention is unknown.
        AssetError: If the weights are not at hand, damaged, another network's or lack a layer, or their input
            convention is not said, or another than `convention`.
    """

    depth: Depth

    def __init__(
        self,
        layers: Sequence[str],
        weights: Path | None = None,
        pool: Callable[[Tensor], Tensor] = max_pool,
        convention: Convention | None = None,
    ) -> None:
        super().__init__()
        if convention is not None:
            check_option(Convention, convention=convention)
        self.pool = pool
        plan = layer_plan(self.depth)
        self.layers = chosen_layers(layers, [name for name, _ in plan], self.depth)
        last = max(index for name, index in plan if name in self.layers)
        self.plan = [(name, index) for name, index in plan if index <= last]
        # Every pooling halves the sides; at least one position must be left.
        self.minimum_side = 2 ** sum(name.startswith("pool") for name, _ in self.plan)
        path = weights or assets.path(f"{self.depth}-caffe")
        self.origin = self.describe(path)
        self.convention = _convention(path, convention)
        self._load(path)

    def _load(self, path: Path) -> None:
        tensors = read_weights(path)
        check_network(path, tensors, self.depth, [name for name, _ in self.plan])
        for name, index in self.plan:
            if name.startswith("conv"):
                kernel, bias = tensors[f"features.{index}.weight"], tensors[f"features.{index}.bias"]
                self.freeze(f"weight{index}", kernel.float().contiguous(memory_format=torch.channels_last))
                self.freeze(f"bias{index}", bias.float())
        # RGB in [0, 1] become scale * x - shift. The features of the two conventions differ by a factor of about 57, so
        # that a loss weight for one means nothing for the other.
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        if self.convention == "caffe":
            scale, shift = torch.full((3,), 255.0), torch.tensor(CAFFE_MEAN)
        else:
            scale, shift = 1 / std, mean / std
        self.freeze("scale", scale.view(1, 3, 1, 1))
        self.freeze("shift", shift.view(1, 3, 1, 1))

    def forward(self, images: Images) -> dict[str, Tensor]:
        """Returns the maps (B, C, h, w) of the layers asked for, in the order asked for.

        Raises:
            ValueError: If a side is so small that the pooling leaves nothing.
        """
        self.check_side(images)
        first = self.first_block(images)
        x = next(reversed(first.values()))
        maps = {name: found for name, found in first.items() if name in self.layers}
        for name, index in self.plan[len(first) :]:
            x = self._layer(name, index, x)
            if name in self.layers:
                maps[name] = x
        return {name: maps[name] for name in self.layers}

    def first_block(self, images: Tensor) -> dict[str, Tensor]:
        """Returns the maps of the first block, which how the maps are halved does not change, as far as is needed."""
        x = images.flip(1) if self.convention == "caffe" else images
        scale, shift = (self.frozen(name).to(x.dtype) for name in ("scale", "shift"))
        x = (x * scale - shift).contiguous(memory_format=torch.channels_last)
        maps = {}
        for name, index in self.plan[:_FIRST_BLOCK]:
            maps[name] = x = self._layer(name, index, x)
        return maps

    def _layer(self, name: str, index: int, x: Tensor) -> Tensor:
        if name.startswith("relu"):
            return F.relu(x)
        if name.startswith("pool"):
            return self.pool(x)
        kernel, bias = (self.frozen(f"{part}{index}").to(x.dtype) for part in ("weight", "bias"))
        return F.conv2d(x, kernel, bias, padding=1)


class VGG16Features(VGGFeatures):
    """Computes maps of VGG16; the paper's ``conv4`` is read as ``relu4_3``.

    Args and errors: see `VGGFeatures`.
    """

    depth = "vgg16"


class VGG19Features(VGGFeatures):
    """Computes maps of VGG19.

    Args and errors: see `VGGFeatures`.
    """

    depth = "vgg19"


def _convention(path: Path, given: Convention | None) -> Convention:
    said = assets.metadata(path).get("input_convention", "")
    found: Convention | None = (
        "caffe" if "BGR" in said else "torchvision" if "RGB" in said or said == "torchvision" else None
    )
    if found is None and given is None:
        raise AssetError(
            f"{path} does not say its input_convention in its header (BGR 0..255, or RGB with mean and std); say it: "
            "vgg16(weights='…', convention='caffe') or 'torchvision'"
        )
    if given is not None and found not in (None, given):
        raise AssetError(f"{path} says in its header that it takes {said!r}, which is not convention={given!r}")
    return found or cast(Convention, given)
