"""Takes a pretrained file that the user has from elsewhere: known by its hash, else by how its network answers.

For machines without a network, and for weights whose published hash is too short to be relied on. A file that is none
of those known is taken on the user's word, and says so from then on.
"""

import difflib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pdloss import assets
from pdloss.assets.catalogue import ASSETS, CONVENTIONS, Asset
from pdloss.assets.fetching import packed, read_tensors, used_tensors
from pdloss.errors import AssetError
from pdloss.features import probes
from pdloss.features.probes import PROBES, Probe
from pdloss.files import write_bytes, write_text
from pdloss.files.checksums import checksum
from pdloss.files.downloads import TransferError, alone
from pdloss.files.lists import first_few
from pdloss.limits import read_header

WORD = "; imported on the user's word"
"""Stands behind the input convention, and so in the record of every run that uses the file."""

_ANOTHER_RANGE = 3.0
"""Times by which activations are larger or smaller where the input is expected in another range: 57 or 255."""
_FORMATS = {".safetensors": "safetensors", ".pth": "pickle", ".pt": "pickle", ".npz": "npz"}


class Imported(NamedTuple):
    """What was taken."""

    path: Path
    sha256: str
    """Of the file given."""
    known: bool
    """Whether that is one of the hashes in the catalogue, and not the user's word alone."""
    largest_difference: float
    """Of the activations on the test picture, from those known; 0 for a known file, which needs none."""


def import_asset(file: Path, name: str) -> Imported:
    """Returns where the file now stands in the cache, under the name of a known asset.

    Args:
        file: A safetensors file, or a ``.pth``, which is opened as plain tensors only.
        name: A key of `pdloss.assets.ASSETS`.

    Raises:
        AssetError: If the name is unknown, the asset is here already, or the file is damaged, of another network or
            convention, lacks layers, or answers the test picture otherwise than the known weights.
    """
    if name not in ASSETS:
        close = difflib.get_close_matches(name, ASSETS, n=1, cutoff=0.5)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise AssetError(f"--as {name!r} is no known asset; {guess}Known: {', '.join(ASSETS)}")
    asset = ASSETS[name]
    if here := assets.find(name):
        raise AssetError(f"{name} is here already: {here}; remove it first if yours shall stand for it")
    digest, tensors = _read(file, asset)
    known = _knows(asset, digest)
    if not known:
        if other := next((each.name for each in ASSETS.values() if _knows(each, digest)), None):
            raise AssetError(f"{file} is {other} by its hash, not {name}; say --as {other}")
        _check_shapes(file, asset, tensors)
    cache = assets.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target, gap = cache / asset.file, 0.0
    content = packed(asset, tensors, file.name, digest, "" if known else WORD)
    if digest == asset.sha256:
        content = file.read_bytes()
    if not known:
        with tempfile.TemporaryDirectory() as folder:
            trial = Path(folder) / asset.file
            trial.write_bytes(content)
            gap = _check_answers(file, asset, PROBES[name], trial)
    with alone(cache / assets.IMPORTED, progress=False):
        write_bytes(target, content)
        text = json.dumps(assets.imported(cache) | {name: checksum(target)}, indent=2)
        write_text(cache / assets.IMPORTED, text)
    return Imported(target, digest, known, gap)


def _knows(asset: Asset, digest: str) -> bool:
    """Whether a file of that hash is the asset, ready-made or as an address serves it."""
    return digest == asset.sha256 or any(source.sha256 == digest for source in asset.sources)


def _read(file: Path, asset: Asset) -> tuple[str, dict[str, Tensor]]:
    """Returns the file's hash, and those of its tensors that the asset has, under its names.

    Raises:
        AssetError: If it is missing, no such file, cut off or damaged.
    """
    form = _FORMATS.get(file.suffix.lower())
    if form is None:
        raise AssetError(f"{file} has none of the suffixes that are read: {', '.join(_FORMATS)}")
    try:
        digest = checksum(file)
        state = _safetensors(file) if form == "safetensors" else read_tensors(file, form)
    except TransferError as error:
        raise AssetError(f"{file} is cut off, damaged or no file of tensors: {error}") from None
    except OSError as error:
        raise AssetError(f"{file} cannot be read: {error.strerror or error}") from None
    tensors = used_tensors(asset, state, whole=False)
    # What a converted file holds is called as the asset has it; what the source holds is renamed.
    ours: dict[str, Any] = tensors or {str(key): value for key, value in state.items() if isinstance(value, Tensor)}
    return digest, ours


def _safetensors(file: Path) -> Mapping[str, Tensor]:
    try:
        with file.open("rb") as opened:
            header = read_header(opened)
            begin = opened.tell()
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        if (whole := begin + max(ends, default=0)) > file.stat().st_size:
            raise TransferError(f"it has {file.stat().st_size:,} of {whole:,} bytes")
        return load_file(file)
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        raise TransferError(str(error)) from None


def _check_shapes(file: Path, asset: Asset, tensors: Mapping[str, Tensor]) -> None:
    """Refuses what has not the layers of the network, each in its shape.

    Raises:
        AssetError: Saying whether it is another network, or lacks layers.
    """
    wanted = _SHAPES.get(asset.name)
    if wanted is None or asset.name not in PROBES:
        raise AssetError(
            f"{file} is none of the files known as {asset.name}, and nothing else tells it: only a file with one of "
            "the hashes in the catalogue can be imported under that name"
        )
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if fitting := [other for other, shapes in _SHAPES.items() if shapes.items() <= found.items()]:
        if asset.name in fitting and len(found) == len(wanted):
            return
        right = max(fitting, key=lambda other: len(_SHAPES[other]))
        if len(_SHAPES[right]) > len(wanted) or asset.name not in fitting:
            raise AssetError(f"{file} is another network: its layers are those of {right}, not of {asset.name}")
    for name, shape in wanted.items():
        if name in found and found[name] != shape:
            raise AssetError(f"{file} is another network: its {name} is {found[name]}, and {asset.name} has {shape}")
    missing = [name for name in wanted if name not in found]
    if len(missing) == len(wanted):
        raise AssetError(f"{file} is another network: it has none of the tensors of {asset.name}, such as {missing[0]}")
    if missing:
        raise AssetError(f"{file} lacks layers of {asset.name}: {first_few(missing, 2)} are missing")


def _check_answers(file: Path, asset: Asset, probe: Probe, trial: Path) -> float:
    """Returns the largest difference of the activations on the test picture, refused if it is too large.

    Raises:
        AssetError: Saying whether it is the order of the colours, the range of the input, or the weights themselves.
    """
    found = probes.answers(probe, trial)
    gaps = probes.differences(probe, found)
    if max(gaps.values()) <= probe.tolerance:
        return max(gaps.values())
    where = CONVENTIONS[asset.convention]
    tensors = load_file(trial)
    described = assets.metadata(trial)
    flipped = tensors | {probe.first: tensors[probe.first].flip(1).contiguous()}
    turned = trial.with_name("turned.safetensors")
    turned.write_bytes(packed(asset, flipped, described["source"], described["source_sha256"]))
    if max(probes.differences(probe, probes.answers(probe, turned)).values()) <= probe.tolerance:
        raise AssetError(
            f"{file} has the right weights in another convention: its first layer wants the colours in reverse order, "
            f"and {asset.name} wants {where}; flip the second axis of {probe.first}"
        )
    first = next(iter(probe.layers))
    ratio = found[first][1] / probe.layers[first][1]
    if not 1 / _ANOTHER_RANGE < ratio < _ANOTHER_RANGE:
        raise AssetError(
            f"{file} is in another convention: its {first} answers the test picture {ratio:.3g} times as strongly as "
            f"{asset.name} does, as where the input is expected in another range than {where}"
        )
    worst = next(layer for layer, gap in gaps.items() if gap > probe.tolerance)
    raise AssetError(
        f"{file} has the shapes of {asset.name} but other weights: its {worst} answers the test picture with mean "
        f"{found[worst][0]:.5g} and deviation {found[worst][1]:.5g}, expected {probe.layers[worst][0]:.5g} and "
        f"{probe.layers[worst][1]:.5g} (within {probe.tolerance:.0%}); was it trained anew, as torchvision's was?"
    )


def _vgg_shapes(convolutions: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    index, before = 0, 3
    for width, count in zip((64, 128, 256, 512, 512), convolutions, strict=True):
        for _ in range(count):
            shapes[f"features.{index}.weight"] = (width, before, 3, 3)
            shapes[f"features.{index}.bias"] = (width,)
            index, before = index + 2, width
        index += 1  # the pooling
    return shapes


def _squeezenet_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"features.0.weight": (64, 3, 3, 3), "features.0.bias": (64,)}
    before = 64
    for index, squeeze in zip((3, 4, 6, 7, 9, 10, 11, 12), (16, 16, 32, 32, 48, 48, 64, 64), strict=True):
        wide = 4 * squeeze
        parts = {"squeeze": (squeeze, before, 1), "expand1x1": (wide, squeeze, 1), "expand3x3": (wide, squeeze, 3)}
        for part, (out, into, side) in parts.items():
            shapes[f"features.{index}.{part}.weight"] = (out, into, side, side)
            shapes[f"features.{index}.{part}.bias"] = (out,)
        before = 2 * wide
    return shapes


_ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
_SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "vgg16-caffe": _vgg_shapes((2, 2, 3, 3, 3)),
    "vgg19-caffe": _vgg_shapes((2, 2, 4, 4, 4)),
    "alexnet-torchvision": {
        f"features.{index}.{part}": shape
        for index, (out, into, side) in _ALEXNET.items()
        for part, shape in (("weight", (out, into, side, side)), ("bias", (out,)))
    },
    "squeezenet1_1-torchvision": _squeezenet_shapes(),
}
"""Every tensor of the networks that have a probe."""
