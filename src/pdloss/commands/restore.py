"""``pdloss restore``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from pdloss.commands.progress import Bar
from pdloss.files.options import OverwriteOptions
from pdloss.files.spelling import spelled
from pdloss.specs.options import TrustOptions

if TYPE_CHECKING:
    from pdloss.restoration.page import ComparisonPage


@dataclass(frozen=True)
class RestoreOptions(TrustOptions, OverwriteOptions):
    """Restores your own pictures, each taken as the degraded input: any size, at its own depth, with its alpha, colour
    profile, EXIF and XMP."""

    source: tyro.conf.Positional[Path]
    """An image, or a folder of images, with all below it."""
    model: str
    """Name of a model that ships (`pdloss models`); run folder of a training; a file of weights, of its `weights/` or
    from `pdloss convert`; a model's folder; or owner/name[@revision] on the Hugging Face Hub (`pdloss[hub]`)."""
    out: Path
    """Folder to write to; for one image, also a name that ends with .png, .jpg, .tif or .webp."""
    format: Literal["png", "jpeg", "tiff", "webp"] | None = None
    """Of the results; by default that of each image where it loses nothing (PNG, TIFF, lossless WebP), else PNG."""
    device: str = "auto"
    """Such as cpu or cuda."""
    tile: Literal["auto"] | int = "auto"
    """Side in pixels of the tiles that an image goes through the network in; auto: what the free memory allows. The
    result is that of the whole image."""
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Number format of the network. auto: bfloat16 where it is faster, if the first tile is within a grey level of
    float32; float32 for images of 16 bits."""
    compare: Path | None = None
    """Also write a page that shows each image before and after, with a slider: one HTML file."""
    mosaic: bool = False
    """For a model that demosaics: make a mosaic of each picture first, as its sensor would, without noise."""


def main(argv: list[str]) -> int:
    """Restores, prints the path of every picture written, and returns 0: 1 if some could not be restored.

    Raises:
        UserError: If a picture or the model cannot be used.
    """
    options = tyro.cli(RestoreOptions, args=argv, prog="pdloss restore")
    from pdloss.files import output
    from pdloss.restoration.page import ComparisonPage

    if options.compare is None:
        return _restore(options, None)
    with output(options.compare, overwrite=options.overwrite, option="--compare"):
        page = ComparisonPage()
        status = _restore(options, page)
        page.write(options.compare)
    print(spelled(options.compare))
    return status


def _restore(options: RestoreOptions, page: "ComparisonPage | None") -> int:
    from pdloss.files.tensors import unverified
    from pdloss.models.shelf import place_of
    from pdloss.picture_files import passed_over
    from pdloss.restoration import Failed, pictures, restore_files
    from pdloss.runs.purposes import weights_file

    model = place_of(options.model)
    total = len(pictures(options.source, options.out, options.format))
    failed = []
    with Bar("restoring (thousand pixels)") as bar:
        if note := unverified(weights_file(model)):
            bar.say(note)
        steps = restore_files(
            options.source,
            model,
            options.out,
            device=options.device,
            tile=None if options.tile == "auto" else options.tile,
            form=options.format,
            precision=options.precision,
            mosaic=options.mosaic,
            overwrite=options.overwrite,
            trusted=options.received,
            progress=bar.update,
            **({"look": page} if page else {}),
        )
        for restored in steps:
            if isinstance(restored, Failed):
                failed.append(restored)
                continue
            print(spelled(restored.written))
            if restored.note:
                bar.say(f"{spelled(restored.source.name)}: {restored.note}")
        if options.source.is_dir() and (left := passed_over(options.source, below=True)):
            bar.say(left)
        if failed:
            bar.say(f"{len(failed)} of {total} pictures not restored:")
        for each in failed:
            bar.say(f"  {each.problem}")
    return 1 if failed else 0
