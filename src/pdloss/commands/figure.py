"""``pdloss figure``: pictures for a paper, of crops side by side and of the training framework."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from pdloss.errors import SpecError, UserError
from pdloss.files import path_inside
from pdloss.files.options import OverwriteOptions

if TYPE_CHECKING:
    from pdloss._types import Image
    from pdloss.report.pictures import Window

MOST_PIXELS = 30_000
"""Along a side of a picture."""
MOST_CHANNELS = 24
"""More would make a picture of more than 9,700 pixels across."""


@dataclass(frozen=True)
class CropsOptions(OverwriteOptions):
    """Crops of the same place from the input, every run and the target, side by side, as PNG, PDF and SVG."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders, scored by `pdloss evaluate`, with the pictures that it restored."""
    out: Path
    """Path of the files, without a suffix; by rule a folder, with one set of files for each image."""
    image: str | None = None
    """File name of one image; by default those that the report shows: largest disagreement, median, best and worst."""
    box: str | None = None
    """Left, top, width and height in pixels, as 120,80,96,96; by default where the runs differ most."""
    set: str | None = None
    """Which scored set; by default, of those in common, the one written last."""
    zoom: int = 2
    """How many pixels of the PNG a pixel of a crop takes in each direction."""
    columns: int = 8
    """How many crops stand side by side."""


@dataclass(frozen=True)
class FrameworkOptions(OverwriteOptions):
    """What the loss compares: two images, feature maps of both, and their sorted values, as PNG, PDF and SVG."""

    image: Path
    """The target; a square of at most 256 pixels is taken from its middle."""
    out: Path
    """Path of the files, without a suffix."""
    restored: Path | None = None
    """A restored picture of it, of the same size; by default the target, degraded, stands for it."""
    degradation: str = "noise(sigma=0.15)"
    """What the stand-in is degraded by."""
    features: str = "vgg19.relu4_3"
    """A backbone and a layer."""
    channels: int = 4
    """How many channels to show."""


def main(argv: list[str]) -> int:
    """Writes the figure, prints the paths of its files and returns 0.

    Raises:
        UserError: If the pictures or features cannot be had; the message names the cause.
    """
    options = tyro.extras.subcommand_cli_from_dict(
        {"crops": CropsOptions, "framework": FrameworkOptions}, args=argv, prog="pdloss figure"
    )
    paths = _crops(options) if isinstance(options, CropsOptions) else _framework(options)
    for path in paths:
        print(path)
    return 0


def _crops(options: CropsOptions) -> list[Path]:
    from pdloss.report import crops
    from pdloss.report.crop_panels import crop_panel, save_panel
    from pdloss.report.sources import read_comparison

    if options.zoom < 1 or options.columns < 1:
        raise SpecError(f"--zoom {options.zoom} and --columns {options.columns} must be at least 1")
    if options.box is not None and options.image is None:
        raise SpecError(f"--box {options.box} needs an image: name it with --image")
    comparison = read_comparison(options.runs, options.set)
    if options.image is not None:
        window = _window(options.box) if options.box else crops.window_of(comparison, options.image)
        wanted = [(options.image, window, options.out)]
    else:
        strips, notes = crops.strips(comparison)
        if not strips:
            raise UserError(" ".join(notes) or "there are no pictures to cut crops from; evaluate the runs again")
        wanted = [
            (strip.image, strip.window, path_inside(options.out, comparison.called[strip.image])) for strip in strips
        ]
    paths = []
    for image, window, out in wanted:
        tiles = crop_panel(comparison, image, window)
        _refuse_endless(options, window, len(tiles))
        side = window.height, window.width
        paths += save_panel(
            tiles, out, side=side, zoom=options.zoom, columns=options.columns, overwrite=options.overwrite
        )
    return paths


def _refuse_endless(options: CropsOptions, window: "Window", crops: int) -> None:
    """Refuses a picture that no program can show; matplotlib would end in words of its own, or take all memory."""
    beside = min(options.columns, crops)
    across, down = beside * window.width, -(-crops // beside) * window.height
    if (most := MOST_PIXELS // max(across, down)) < options.zoom:
        raise SpecError(
            f"--zoom {options.zoom} makes of {crops} crops of {window.width}x{window.height} a picture of more than "
            f"{MOST_PIXELS} pixels along a side; choose at most {most}, or a smaller --box"
        )


def _window(text: str) -> "Window":
    from pdloss.report.pictures import Window

    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts):
        raise SpecError(f"--box {text!r} is not left,top,width,height in whole pixels, such as 120,80,96,96")
    left, top, width, height = map(int, parts)
    return Window(top, left, height, width)


def _framework(options: FrameworkOptions) -> list[Path]:
    import torch

    from pdloss import degradations
    from pdloss.images import read_image
    from pdloss.ops.color import quantize
    from pdloss.probing.framework import save_framework
    from pdloss.specs.trust import TYPED

    if not 1 <= options.channels <= MOST_CHANNELS:
        raise SpecError(f"--channels {options.channels} must be from 1 to {MOST_CHANNELS}, which stand side by side")
    whole = read_image(options.image)
    if options.restored is None:
        chain = degradations.parse(options.degradation, TYPED)
        restored = quantize(chain(_middle(whole), torch.Generator().manual_seed(0)))
        if restored.shape != _middle(whole).shape:
            raise SpecError(
                f"--degradation {options.degradation!r} changes the size; give a picture of its own with --restored"
            )
    else:
        other = read_image(options.restored)
        if other.shape != whole.shape:
            sizes = [f"{image.shape[2]} x {image.shape[1]}" for image in (other, whole)]
            raise UserError(f"{options.restored} has {sizes[0]} pixels, {options.image} {sizes[1]}; give equal sizes")
        restored = _middle(other)
    images = restored[None], _middle(whole)[None]
    return save_framework(
        *images, options.features, options.out, options.channels, overwrite=options.overwrite, trusted=TYPED
    )


def _middle(image: "Image", side: int = 256) -> "Image":
    height, width = image.shape[-2:]
    top, left = max(0, height - side) // 2, max(0, width - side) // 2
    return image[:, top : top + side, left : left + side]
