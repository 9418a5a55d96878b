"""``pdloss restore``."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.progress import Bar
from pdloss.files.options import OverwriteOptions
from pdloss.files.spelling import spelled
from pdloss.specs.options import TrustOptions


@dataclass(frozen=True)
class RestoreOptions(TrustOptions, OverwriteOptions):
    """Restores your own pictures; each is taken as the degraded input, and written as an 8-bit RGB PNG."""

    source: tyro.conf.Positional[Path]
    """An image, or a folder of images, with all below it."""
    model: Path
    """Run folder of a training, or a file of weights: of its `weights/`, or from `pdloss convert`."""
    out: Path
    """Folder to write to; for one image, also a name that ends with .png."""
    device: str = "auto"
    """Such as cpu or cuda."""
    mosaic: bool = False
    """For a model that demosaics: make a mosaic of each picture first, as its sensor would, without noise."""


def main(argv: list[str]) -> int:
    """Restores, prints the path of every picture written, and returns 0: 1 if some could not be restored.

    Raises:
        UserError: If a picture or the model cannot be used.
    """
    options = tyro.cli(RestoreOptions, args=argv, prog="pdloss restore")
    from pdloss.files.tensors import unverified
    from pdloss.picture_files import passed_over
    from pdloss.restoration import Failed, pictures, restore
    from pdloss.runs.purposes import weights_file

    total = len(pictures(options.source, options.out))
    failed = []
    with Bar("restoring") as bar:
        if note := unverified(weights_file(options.model)):
            bar.say(note)
        steps = restore(
            options.source,
            options.model,
            options.out,
            device=options.device,
            mosaic=options.mosaic,
            overwrite=options.overwrite,
            trusted=options.received,
        )
        for done, restored in enumerate(steps, 1):
            bar.update(done, total)
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
