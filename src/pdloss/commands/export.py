"""``pdloss export``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pdloss.errors import SpecError
from pdloss.files.options import OverwriteOptions
from pdloss.specs.options import TrustOptions

_DESCRIPTION = """Writes a trained network for other programs: ONNX, torch.export, safetensors; any of them. Batch,
height and width are left open. Each file is compared with the original at three sizes before it is written, and says
task, scale, range and colour in its metadata. Images are RGB in [0, 1]; what comes out is to be clipped to it."""


@dataclass(frozen=True)
class ExportOptions(TrustOptions, OverwriteOptions):
    """What to export, and how."""

    model: tyro.conf.Positional[str]
    """As of `restore --model`: run folder, file or folder of a model, name of one that ships, or owner/name on the
    Hugging Face Hub."""
    out: Path
    """Folder to write to."""
    onnx: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write NAME.onnx, for onnxruntime and what is built on it."""
    torch_export: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write NAME.pt2, for torch without pdloss."""
    safetensors: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write NAME.safetensors, for `restore --model`, `train --init`, and spandrel with pdloss.adapters.spandrel."""
    float16: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Keep weights in half precision, in NAME-float16.onnx and NAME-float16.safetensors."""


def main(argv: list[str]) -> int:
    """Exports, prints the path of every file with its worst difference from the original, and returns 0.

    Raises:
        UserError: If the model cannot be used or exported, or a file must not be replaced.
    """
    options = tyro.cli(ExportOptions, args=argv, prog="pdloss export", description=_DESCRIPTION)
    if not (options.onnx or options.torch_export or options.safetensors):
        raise SpecError("nothing to write: name at least one of --onnx, --torch-export and --safetensors")
    if options.float16 and options.torch_export:
        raise SpecError(
            "--float16 goes with --onnx and --safetensors: a graph of torch takes its precision from whoever runs it"
        )
    from pdloss.exporting import subject, write_onnx, write_program, write_weights
    from pdloss.files import output
    from pdloss.models.shelf import name_of, place_of

    model = place_of(options.model)
    name = name_of(options.model, model) + ("-float16" if options.float16 else "")
    paths = {
        kind: options.out / f"{name}.{kind}"
        for kind, wanted in (
            ("onnx", options.onnx),
            ("pt2", options.torch_export),
            ("safetensors", options.safetensors),
        )
        if wanted
    }
    with output(*paths.values(), overwrite=options.overwrite):
        original = subject(model, options.received)
        writers = {
            "onnx": lambda path: write_onnx(original, path, options.float16),
            "pt2": lambda path: write_program(original, path),
            "safetensors": lambda path: write_weights(original, path, options.float16),
        }
        for kind, path in paths.items():
            print(f"{path}: differs by at most {writers[kind](path):.1g}")
    return 0
