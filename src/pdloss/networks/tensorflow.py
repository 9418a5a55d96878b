"""The published TensorFlow-1 weights of SRN and DsDeblur, for our networks.

Kernels come as (height, width, in, out), those of transposed convolutions as (height, width, out, in); ours are (out,
in, height, width) and (in, out, height, width): the same axes in the same new order, and nothing is flipped.

In the package, not a script beside it: the authors publish these weights in this form alone, whoever installs a wheel
has no scripts, and the names below change with the networks' own.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pdloss.errors import AssetError
from pdloss.files.lists import first_few
from pdloss.limits import check_arrays
from pdloss.networks.bundle import Variables, read_bundle
from pdloss.networks.dsdeblur import DsDeblur
from pdloss.networks.srn import SRN
from pdloss.ops.options import check_option

# What training leaves beside the weights: Adam's moments and powers, and the step.
_OF_TRAINING = re.compile(r"(.*/)?(Adam(_\d+)?|beta\d_power|global_step|Variable(_\d+)?)")

_FILE_OF_BUNDLE = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")

Architecture = Literal["srn", "dsdeblur"]

_ENTRANCE = {"srn": "g_net/enc1_1", "dsdeblur": "g_net/enc1_1_0"}
_LSTM = "g_net/convLSTM/LSTM_conv"
# Our names and theirs.
_CHANGES = {
    "enter": "enc1_1",
    "down2": "enc2_1",
    "down3": "enc3_1",
    "up2": "dec2_4",
    "up1": "dec1_4",
    "leave": "dec1_0",
}
_CONVOLUTIONS = {"0": "conv1", "2": "conv2"}
_KINDS = {"weight": "weights", "bias": "biases"}


class Converted(NamedTuple):
    """A checkpoint in our terms."""

    network: SRN | DsDeblur
    weights: dict[str, Tensor]
    unused: tuple[str, ...]
    """Variables that belong neither to the network nor to its training."""


def read_variables(checkpoint: Path) -> Variables:
    """Returns the variables of a TensorFlow checkpoint, or of an .npz file of arrays under the variables' names.

    Args:
        checkpoint: An .npz file; or a checkpoint's name as TensorFlow has it, or one of its files.

    Raises:
        AssetError: If it is missing or damaged.
    """
    if checkpoint.suffix != ".npz":
        return read_bundle(checkpoint.with_name(_FILE_OF_BUNDLE.sub("", checkpoint.name)))
    try:
        with checkpoint.open("rb") as file:
            check_arrays(file)
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
    except FileNotFoundError:
        raise AssetError(f"{checkpoint} does not exist") from None
    except (ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise AssetError(f"{checkpoint} is not an .npz file of arrays, or damaged: {error}") from None


def converted(name: Architecture, variables: Mapping[str, np.ndarray]) -> Converted:
    """Returns the network that a checkpoint's variables belong to, with its weights.

    Width, planes and the LSTM follow from the variables; the network resizes as TensorFlow 1 did.

    Args:
        name: The architecture.
        variables: Arrays under the names of the authors' code.

    Raises:
        ValueError: If the architecture is unknown.
        AssetError: If variables of the network are missing, too many, or of another shape; it names them.
    """
    check_option(Architecture, name=name)
    network = _network(name, variables)
    with torch.device("meta"):
        wanted = network.build().state_dict()
    sources = {key: _variable(network, key) for key in wanted}
    if missing := [source for source in sources.values() if source not in variables]:
        raise AssetError(f"{network} needs variables that are not there: {first_few(missing, 5)}")
    others = sorted(v for v in variables.keys() - set(sources.values()) if not _OF_TRAINING.fullmatch(v))
    if unknown := [v for v in others if v.startswith("g_net/")]:
        raise AssetError(f"{network} has no place for {first_few(unknown, 5)}: this is another variant of the network")
    weights = {key: _ours(variables[source]) for key, source in sources.items()}
    for key, tensor in weights.items():
        if tensor.shape != wanted[key].shape:
            given = variables[sources[key]].shape
            raise AssetError(f"{sources[key]} is {given}, which does not fit {network}: another variant of the network")
    return Converted(network, weights, tuple(others))


def _network(name: str, variables: Mapping[str, np.ndarray]) -> SRN | DsDeblur:
    entrance = f"{_ENTRANCE[name]}/weights"
    kernel = variables.get(entrance)
    if kernel is None or kernel.ndim != 4 or kernel.shape[2] not in (2, 6):
        held = f"{kernel.shape} there" if kernel is not None else first_few(sorted(variables), 5)
        raise AssetError(f"no checkpoint of {name}, whose {entrance} is (k, k, 2 or 6, width); this one has {held}")
    planes, width = kernel.shape[2] == 2, int(kernel.shape[3])
    if name == "dsdeblur":
        return DsDeblur(width=width, planes=planes, resize="tf1")
    return SRN(width=width, planes=planes, lstm=f"{_LSTM}/weights" in variables, resize="tf1")


def _ours(variable: np.ndarray) -> Tensor:
    tensor = torch.from_numpy(variable.astype(np.float32))
    return tensor.permute(3, 2, 0, 1).contiguous() if tensor.ndim == 4 else tensor


def _variable(network: SRN | DsDeblur, key: str) -> str:
    """Returns the authors' name for one of our parameters.

    Example:
        >>> _variable(SRN(), "stages.dec3.0.body.2.bias")
        'g_net/dec3_3/conv2/biases'
        >>> _variable(DsDeblur(), "changes.1.down2.weight")
        'g_net/enc2_1_1/weights'
    """
    part, where, *rest, kind = key.split(".")
    recurrent = isinstance(network, SRN)
    if part == "memory":
        return f"{_LSTM}/{_KINDS[kind]}"
    if part == "changes":
        scope = _CHANGES[rest[0]]
        if not recurrent:  # one layer for each scale, and one block fewer to count by
            scope = f"{scope.replace('_4', '_3')}_{where}"
    elif recurrent:  # the blocks of the encoder are counted upwards, after the layer that enters
        number = int(rest[0]) + 2 if where.startswith("enc") else 3 - int(rest[0])
        scope = f"{where}_{number}/{_CONVOLUTIONS[rest[2]]}"
    else:
        scope = f"{where}_2/d{int(rest[1]) + 1}/{_CONVOLUTIONS[rest[2]]}"
    return f"g_net/{scope}/{_KINDS[kind]}"
