"""Feature vectors of FID's Inception-v3, and the three ways in which images of any size are shown to it."""

from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pdloss import assets
from pdloss._types import Images
from pdloss.errors import AssetError
from pdloss.features.frozen import Frozen, read_weights
from pdloss.files.lists import first_few
from pdloss.metrics.inception_graph import Block, Branch, Convolution, Dims, convolutions, shapes, up_to
from pdloss.ops.options import check_option

View = Literal["whole", "clean", "crops"]
"""How images of any size become the 299 x 299 pixels that the network was trained on."""

SIDE = 299
_AT_ONCE = 8  # crops in one pass: their first maps take 100 MB


def view_whole(images: Images) -> Float[Tensor, "b 3 299 299"]:
    """Returns images in [0, 1] as pytorch-fid shows them to the network: resized bilinearly, then 2x - 1.

    Shrinking without antialiasing skips pixels: it keeps noise that "clean" resizing averages away.
    """
    return 2 * F.interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=False) - 1


def view_clean(images: Images) -> Float[Tensor, "b 3 299 299"]:
    """Returns images in [0, 1] as clean-fid shows them: resized bicubically with antialiasing, then (255x - 128)/128.

    The cubic is Pillow's on floating-point values (a = -1/2); what it overshoots is cut off and nothing is rounded.

    References:
        | On Aliased Resizing and Surprising Subtleties in GAN Evaluation (Parmar et al., 2022)
        | https://arxiv.org/abs/2104.11222
    """
    smooth = F.interpolate(images, (SIDE, SIDE), mode="bicubic", align_corners=False, antialias=True)
    return (smooth.clamp(0, 1) * 255 - 128) / 128


def view_crops(images: Images) -> Float[Tensor, "crops 3 299 299"]:
    """Returns all crops that fit side by side around the centre of images in [0, 1], not resized, as 2x - 1.

    The crops of an image stand one after the other, row by row.

    Raises:
        ValueError: If height or width is below 299 pixels.
    """
    height, width = images.shape[-2:]
    if min(height, width) < SIDE:
        raise ValueError(
            f"images of {height}x{width} are too small for crops, which need at least {SIDE} pixels a side"
        )
    rows, columns = height // SIDE, width // SIDE
    top, left = (height - rows * SIDE) // 2, (width - columns * SIDE) // 2
    inside = images[..., top : top + rows * SIDE, left : left + columns * SIDE]
    crops = inside.reshape(-1, 3, rows, SIDE, columns, SIDE).permute(0, 2, 4, 1, 3, 5)
    return 2 * crops.reshape(-1, 3, SIDE, SIDE) - 1


_VIEWS = {"whole": view_whole, "clean": view_clean, "crops": view_crops}


class InceptionFeatures(Frozen):
    """Computes one feature vector per image, or per crop: the spatial mean of a map of FID's Inception-v3.

    Computes in float32 even under autocast; on recent GPUs PyTorch's convolutions keep ten bits of the mantissa unless
    told otherwise, which moves the vectors by about 1e-3 of their length. The weights are buffers, on no optimiser's
    list and in no state dict.

    Args:
        dims: 64 (after the first pooling), 192 (after the second), 768 (after ``Mixed_6e``) or 2048 (after
            ``Mixed_7c``).
        view: ``whole`` (see `view_whole`), ``clean`` (`view_clean`) or ``crops`` (`view_crops`).
        weights: A safetensors file with the tensors of `shapes`; by default `weights_path`.

    Raises:
        ValueError: If an option is unknown.
        AssetError: If the weights are not at hand, lack a tensor, or hold one of another shape.

    References:
        | https://github.com/mseitzer/pytorch-fid
    """

    def __init__(self, dims: Dims = 2048, view: View = "whole", weights: Path | None = None) -> None:
        super().__init__()
        check_option(Dims, dims=dims)
        check_option(View, view=view)
        self.dims, self.view = dims, view
        path = weights or weights_path(dims)
        self.origin = self.describe(path)
        if missing := lacking(path, dims):
            raise AssetError(f"{path} does not reach {dims} dimensions: it lacks {first_few(missing)}")
        tensors = read_weights(path)
        for key, shape in shapes(dims).items():
            if tensors[key].shape != shape:
                got = tuple(tensors[key].shape)
                raise AssetError(f"{path} is not the Inception-v3 of FID: {key} is {got} instead of {shape}")
        for name, _, _ in convolutions(up_to(dims)):
            self._fold(name, tensors)

    def _fold(self, name: str, tensors: dict[str, Tensor]) -> None:
        """Holds the convolution with its batch normalisation, as kernel and bias."""
        parts = ("weight", "bias", "running_mean", "running_var")
        gain, bias, mean, variance = (tensors[f"{name}.bn.{part}"].double() for part in parts)
        gain = gain / (variance + 0.001).sqrt()
        kernel = tensors[f"{name}.conv.weight"].double() * gain.view(-1, 1, 1, 1)
        self.freeze(_buffer(name, "kernel"), kernel.float().contiguous(memory_format=torch.channels_last))
        self.freeze(_buffer(name, "bias"), (bias - mean * gain).float())

    def forward(self, images: Images) -> Float[Tensor, "rows d"]:
        """Returns the feature vectors of images in [0, 1]: one each, or with ``crops`` one for each crop, in order.

        Raises:
            ValueError: If images are too small for a crop.
        """
        with torch.autocast(images.device.type, enabled=False):
            views = _VIEWS[self.view](images.float())
            return torch.cat([self.pooled(part) for part in torch.split(views, _AT_ONCE)])

    def pooled(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Returns the feature vectors of what the network itself sees: values in [-1, 1], 75 or more pixels a side."""
        x = x.contiguous(memory_format=torch.channels_last)
        return self._along(up_to(self.dims), "", x).mean(dim=(2, 3))

    def _along(self, steps: Branch, prefix: str, x: Tensor) -> Tensor:
        for step in steps:
            if isinstance(step, Convolution):
                name = prefix + step.name
                height, width = step.kernel
                padding = (height // 2, width // 2) if step.padded else (0, 0)
                kernel, bias = self.frozen(_buffer(name, "kernel")), self.frozen(_buffer(name, "bias"))
                x = F.relu(F.conv2d(x, kernel, bias, step.stride, padding))
            elif isinstance(step, Block):
                x = torch.cat([self._along(branch, prefix + step.name, x) for branch in step.branches], dim=1)
            elif step == "average":
                x = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
            elif step == "maximum":
                x = F.max_pool2d(x, 3, stride=1, padding=1)
            else:
                x = F.max_pool2d(x, 3, stride=2)
        return x


def weights_path(dims: Dims) -> Path:
    """Returns the file of weights for vectors of that length: the whole network's where it is at hand.

    Raises:
        AssetError: If there is none; says which tensors are missing and how to get them.
    """
    check_option(Dims, dims=dims)
    if whole := assets.find("inception-fid"):
        return whole
    if dims != 2048:
        return assets.path("inception-fid-partial")
    partial = assets.find("inception-fid-partial")
    missing = lacking(partial, dims) if partial else []
    if partial and not missing:  # that asset, too, is whole when it was downloaded
        return partial
    try:
        return assets.path("inception-fid")
    except AssetError as error:
        if not partial:
            raise
        raise AssetError(f"{partial} ends at 768 dimensions, since it lacks {first_few(missing)}; {error}") from None


def lacking(path: Path, dims: Dims) -> list[str]:
    """Returns which tensors needed for vectors of that length are not in the file.

    Raises:
        AssetError: If it is not a safetensors file.
    """
    check_option(Dims, dims=dims)
    try:
        with safe_open(path, "pt") as file:
            held = set(file.keys())
    except SafetensorError as error:
        raise AssetError(f"{path} is damaged ({error}); fetch or write it anew") from None
    return [key for key in shapes(dims) if key not in held]


def _buffer(name: str, part: str) -> str:
    return f"{name.replace('.', '_')}_{part}"
