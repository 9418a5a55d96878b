"""``pdloss niqe``: makes a model of good photographs of one's own, for `pdloss.metrics.NIQE` and ``--niqe-model``."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pdloss.commands.progress import Bar
from pdloss.errors import ImageError
from pdloss.files import output

if TYPE_CHECKING:
    from torch import Tensor

    from pdloss.datasets import Photographs


def main(argv: list[str]) -> int:
    """Runs ``pdloss niqe fit DIR --out FILE``, prints what the model was fitted to and where it is, and returns 0.

    Raises:
        UserError: If the photographs cannot be used, or are too few.
    """
    arguments = _parser().parse_args(argv)
    from pdloss.datasets import Photographs
    from pdloss.metrics.niqe import fit, write_model
    from pdloss.metrics.scene_statistics import MINIMUM_SIDE

    folder: Path = arguments.folder
    if arguments.out.suffix != ".safetensors":
        raise ImageError(f"{arguments.out}: models are written as safetensors; end the name with .safetensors")
    with output(arguments.out, overwrite=arguments.overwrite), Bar("reading photographs") as bar:
        photographs = Photographs(
            folder,
            skip_damaged=arguments.skip_damaged,
            smallest=MINIMUM_SIDE,
            part="block",
            progress=bar.update,
        )
        bar.begin("fitting", 0, len(photographs))
        try:
            model = fit(_batches(photographs, bar))
        except ImageError as error:
            raise ImageError(f"{folder}: {error}") from None
        source = f"{len(photographs)} photographs of {folder.resolve().name}, fingerprint {photographs.fingerprint}"
        write_model(arguments.out, model, source)
    for name, reason in photographs.skipped.items():
        print(f"{name} left out: {reason}")
    for note in photographs.notes:
        print(note)
    print(f"fitted to {len(photographs)} photographs")
    print(arguments.out)
    return 0


def _batches(photographs: "Photographs", bar: Bar) -> Iterator["Tensor"]:
    for index in range(len(photographs)):
        yield photographs[index][None].float() / 255
        bar.update(index + 1, len(photographs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pdloss niqe", description="Models of what photographs look like, for NIQE.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser(
        "fit",
        help="fit a model to a folder of good photographs",
        description="Fits a model to the sharp blocks of 96x96 pixels of good photographs, as the authors of NIQE did "
        "with 125 of theirs. Values by one model say nothing beside those by another.",
    )
    making.add_argument("folder", type=Path, metavar="DIR", help="folder of photographs, sharp and without noise")
    making.add_argument("--out", type=Path, required=True, metavar="FILE", help="model to write (.safetensors)")
    making.add_argument("--skip-damaged", action="store_true", help="leave out damaged and too small images")
    making.add_argument("--overwrite", action="store_true", help="replace a file that was not written by pdloss")
    return parser
