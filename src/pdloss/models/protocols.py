"""What each task's models are measured on: degradations of one strength each, so that others can repeat them."""

from typing import NamedTuple

from pdloss.degradations import parse
from pdloss.specs import check_known


class Protocol(NamedTuple):
    """One degradation, under a short name."""

    name: str
    degradation: str


_JPEG = "jpeg(quality={}, subsampling='{}')"
_CAMERA = "gaussian_blur(sigma=0.6) | downscale(factor={}) | noise(sigma=3/255) | jpeg(quality=75)"
_BY_TASK = {
    "denoise": tuple(Protocol(f"sigma{level}", f"noise(sigma={level}/255)") for level in (15, 25, 50)),
    "jpeg": (
        *(Protocol(f"q{quality}", _JPEG.format(quality, "4:2:0")) for quality in (10, 20, 40, 80)),
        Protocol("q20-444", _JPEG.format(20, "4:4:4")),
    ),
    "deblur": (Protocol("shake", "blur(support=2..16) | noise(sigma=2/255)"),),
    "demosaic": (Protocol("clean", "mosaic(noise=0)"), Protocol("noise3", "mosaic(noise=3/255)")),
}

METRICS = ("psnr", "ms_ssim", "lpips", "grid", "blocks")
"""What is measured."""


def protocols(task: str, degradation: str) -> tuple[Protocol, ...]:
    """Returns what a model of a task is measured on.

    Args:
        task: Its name.
        degradation: What it was trained on, which says by how much it enlarges.

    Raises:
        SpecError: If there are none for the task.
    """
    if task == "sr":
        factor = parse(degradation).factor
        return (
            Protocol("bicubic", f"downscale(factor={factor})"),
            Protocol("camera", _CAMERA.format(factor)),
        )
    check_known("task", task, _BY_TASK)
    return _BY_TASK[task]
