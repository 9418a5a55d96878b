"""Restored × target → one score per image, by name, with what must be said to read the number."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from jaxtyping import Float
from torch import Tensor

from pdloss.metrics.dists import DISTS, dists
from pdloss.metrics.frechet import frechet_distance
from pdloss.metrics.grid import blocks, grid
from pdloss.metrics.kernel_distance import kernel_distance, paired_kernel_distance
from pdloss.metrics.lpips import LPIPS, lpips
from pdloss.metrics.niqe import NIQE, niqe
from pdloss.metrics.psnr import psnr, psnr_y
from pdloss.metrics.scene_statistics import MINIMUM_SIDE as NIQE_MINIMUM_SIDE
from pdloss.metrics.sets import SET_METRICS, SetEntry, SetMeasure
from pdloss.metrics.sharpness import sharpness
from pdloss.metrics.sliced_features import sliced_feature_distance
from pdloss.metrics.ssim import MS_SSIM_WEIGHTS, minimum_side, ms_ssim, ssim
from pdloss.records import CEILING, Metric
from pdloss.specs import check_known

__all__ = [
    "CEILING",
    "DISTS",
    "LPIPS",
    "METRICS",
    "MS_SSIM_WEIGHTS",
    "NIQE",
    "SET_METRICS",
    "Entry",
    "Score",
    "SetEntry",
    "SetMeasure",
    "blocks",
    "build",
    "check_names",
    "dists",
    "frechet_distance",
    "grid",
    "kernel_distance",
    "lpips",
    "ms_ssim",
    "niqe",
    "own_niqe",
    "paired_kernel_distance",
    "psnr",
    "psnr_y",
    "sharpness",
    "sliced_feature_distance",
    "ssim",
]

Score = Callable[[Tensor, Tensor], Float[Tensor, " b"]]
"""Maps `restored` and `target`, RGB batches (B, 3, H, W) in [0, 1], to one value per image (B)."""


@dataclass(frozen=True)
class Entry:
    """A metric that evaluation can be asked for."""

    record: Metric
    factory: Callable[[], Score]
    """Makes the callable; loads weights where there are any."""
    minimum_side: int = 1
    """The smallest height and width that it takes."""


_ROUNDED = "after rounding to 8 bits"
_EQUAL = "equal images count 120 dB"
_LUMA, _LUMA_ROUNDED = "luma (BT.601, 16-235, not rounded; peak 255)", "after rounding RGB to 8 bits"
_WINDOW = "11-tap Gaussian of 1.5 pixels"
_SCALES = f"TensorFlow's rule (5 scales, {_WINDOW}, no border)"
_GRAY = "MATLAB's gray of RGB, whole levels"


def _ssim(label: str, protocol: str, score: Score, side: int = 11, **options: Any) -> Entry:
    return Entry(Metric(label=label, better="higher", protocol=protocol), lambda: partial(score, **options), side)


def _network(label: str, protocol: str, factory: Callable[[], Score], side: int) -> Entry:
    return Entry(Metric(label=label, better="lower", protocol=f"{protocol}, {_ROUNDED}"), factory, side)


METRICS: dict[str, Entry] = {
    "psnr": Entry(
        Metric(label="PSNR", unit="dB", better="higher", protocol=f"RGB, whole image, {_ROUNDED}; {_EQUAL}"),
        lambda: psnr,
    ),
    "psnr_y": Entry(
        Metric(label="PSNR-Y", unit="dB", better="higher", protocol=f"{_LUMA}, whole image, {_LUMA_ROUNDED}; {_EQUAL}"),
        lambda: psnr_y,
    ),
    "ssim": _ssim("SSIM", f"RGB, mean over channels, {_WINDOW}, whole windows only, {_ROUNDED}", ssim),
    "ssim_y": _ssim("SSIM-Y", f"{_LUMA}, {_WINDOW}, whole windows only, {_LUMA_ROUNDED}", ssim, channels="y"),
    "ssim_gray": _ssim(
        "SSIM-gray",
        f"{_GRAY}, {_WINDOW}, whole windows only, not made smaller first, {_ROUNDED}",
        ssim,
        channels="gray",
    ),
    "ms_ssim": _ssim("MS-SSIM", f"RGB, mean over channels, {_SCALES}, {_ROUNDED}", ms_ssim, minimum_side()),
    "ms_ssim_y": _ssim("MS-SSIM-Y", f"{_LUMA}, {_SCALES}, {_LUMA_ROUNDED}", ms_ssim, minimum_side(), channels="y"),
    "ms_ssim_gray": _ssim("MS-SSIM-gray", f"{_GRAY}, {_SCALES}, {_ROUNDED}", ms_ssim, minimum_side(), channels="gray"),
    "lpips": _network("LPIPS", "version 0.1, AlexNet, RGB, whole image", LPIPS, 31),
    "lpips_squeeze": _network(
        "LPIPS-Squeeze", "version 0.1, SqueezeNet 1.1, RGB, whole image", lambda: LPIPS("squeeze"), 17
    ),
    "lpips_vgg": _network("LPIPS-VGG", "version 0.1, VGG16 of torchvision, RGB, whole image", lambda: LPIPS("vgg"), 16),
    "dists": _network(
        "DISTS",
        "published weights, VGG16 of torchvision, RGB, whole image at its own size (the published script first shrinks "
        "the shorter side to 256 pixels)",
        DISTS,
        16,
    ),
    "niqe": Entry(
        Metric(
            label="NIQE",
            better="lower",
            protocol=f"its authors' model, MATLAB's gray of RGB, 96x96 blocks, whole image, {_ROUNDED}; "
            "the target is not looked at; a picture without structure counts 120",
        ),
        NIQE,
        NIQE_MINIMUM_SIDE,
    ),
    "sharpness": Entry(
        Metric(
            label="Sharpness",
            unit="octaves",
            better="zero",
            protocol=f"log2 of the gradient energy over the target's, RGB, whole image, {_ROUNDED}; "
            "below 0 is smoother, above 0 sharper or noisier than the target; no further than 10",
        ),
        lambda: _octaves,
    ),
    "grid": Entry(
        Metric(
            label="Grid",
            unit="dB",
            better="zero",
            protocol="how far waves of 4 pixels' period and their harmonics stand out of their neighbours in the power "
            f"spectrum, beyond the target's; RGB, half overlapping blocks of 64x64, {_ROUNDED}; above "
            "0.5 a mesh may be seen, below 0 the target has more of one",
        ),
        lambda: grid,
        64,
    ),
    "blocks": Entry(
        Metric(
            label="Blocks",
            unit="dB",
            better="zero",
            protocol="as grid, of the absolute differences of neighbours in RGB, the larger of rows and columns; the "
            f"further above 0, the more the edges of squares of 4x4 are seen; {_ROUNDED}",
        ),
        lambda: blocks,
        64,
    ),
}
"""The metrics of single images, by their name in text."""


def own_niqe(model: Path) -> Entry:
    """Returns `niqe` by another model, such as ``pdloss niqe fit`` writes; its values are not to be compared."""
    record = METRICS["niqe"].record
    protocol = record.protocol.replace("its authors' model", "a model of one's own (not to be compared)")
    own = msgspec.structs.replace(record, label="NIQE (own model)", protocol=protocol)
    return Entry(own, partial(NIQE, model), NIQE_MINIMUM_SIDE)


def _octaves(restored: Tensor, target: Tensor) -> Float[Tensor, " b"]:
    return sharpness(restored, target).log2().clamp(-10, 10)


def build(names: Iterable[str]) -> dict[str, Score]:
    """Returns the callables of the metrics named, in the order named; none rounds its input (`ops.color.quantize`).

    LPIPS and DISTS are modules on the CPU: move them to the device of the images.

    Raises:
        SpecError: If a name is unknown; no weights are loaded then.
        AssetError: If the weights of one are not at hand.

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 8, 8)
        >>> {name: score(image, image) for name, score in build(["psnr", "psnr_y"]).items()}
        {'psnr': tensor([inf]), 'psnr_y': tensor([inf])}
    """
    names = list(names)
    check_names(names)
    return {name: METRICS[name].factory() for name in names}


def check_names(names: Iterable[str]) -> None:
    """Refuses a name that is not in `METRICS`.

    Raises:
        SpecError: If there is one; the message guesses what was meant.
    """
    for name in names:
        check_known("metric", name, METRICS)
