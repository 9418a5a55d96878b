"""``pdloss convert``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from pdloss.files import output
from pdloss.files.options import OverwriteOptions

_DESCRIPTION = """Converts the published TensorFlow-1 weights of SRN (jiangsutx/SRN-Deblur) or DsDeblur
(firenxygao/deblur) into a file of weights for `restore --model` and `train --init`, and prints the network that they
belong to.

A checkpoint is read without TensorFlow. Should that fail, TensorFlow turns it into an .npz file, which is read too:

  reader = tensorflow.train.load_checkpoint("checkpoints/color/deblur.model-523000")
  names = reader.get_variable_to_shape_map()
  numpy.savez("color.npz", **{name: reader.get_tensor(name) for name in names})
"""


@dataclass(frozen=True)
class ConvertOptions(OverwriteOptions):
    """What to convert."""

    network: tyro.conf.Positional[Literal["srn", "dsdeblur"]]
    """The architecture; its variant (colour, gray, lstm) is seen from the checkpoint."""
    checkpoint: tyro.conf.Positional[Path]
    """The checkpoint's name as TensorFlow has it (deblur.model-523000, for the files that begin so), or an .npz."""
    out: Path
    """File of weights to write, such as srn.safetensors."""


def main(argv: list[str]) -> int:
    """Converts, prints what was made and returns 0.

    Raises:
        UserError: If the checkpoint cannot be read, or belongs to another network.
    """
    options = tyro.cli(ConvertOptions, args=argv, prog="pdloss convert", description=_DESCRIPTION)
    from pdloss.files.tensors import write_tensors
    from pdloss.networks.tensorflow import converted, read_variables

    with output(options.out, overwrite=options.overwrite):
        network, weights, unused = converted(options.network, read_variables(options.checkpoint))
        header = {"format": "pt", "network": network.in_full(), "source": options.checkpoint.name}
        write_tensors(options.out, weights, header)
    print(f"{network}: {sum(tensor.numel() for tensor in weights.values()):,} parameters")
    if unused:
        print(f"not used: {', '.join(unused)}")
    print(options.out)
    return 0
