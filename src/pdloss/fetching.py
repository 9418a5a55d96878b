"""Downloads one asset: alone, from the first address that serves it whole, converted to safetensors.

Nothing stands under the final name that is not whole and verified. Pickled files are opened with
``torch.load(weights_only=True)`` and in no other way, so that no code from a download is ever run.
"""

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pdloss.catalogue import CONVENTIONS, Asset, Source
from pdloss.downloads import TransferError, alone, checksum, download
from pdloss.files import write_atomically
from pdloss.limits import read_header

__all__ = ["TransferError", "content_sha256", "fetch", "read_header"]

_CHUNK = 1 << 18


def fetch(asset: Asset, target: Path, progress: bool) -> None:
    """Puts the asset at `target`, unless another process does so first.

    Args:
        asset: What to fetch.
        target: Where it shall stand; the folder exists.
        progress: Whether to show a bar with the time left on standard error.

    Raises:
        TransferError: If no address served the file whole, with the right hash, as plain tensors.
        OSError: If the folder cannot be written.
    """
    with alone(target, progress) as held:
        if target.is_file():
            return
        if held:
            _remove_leftovers(target)
        failures = []
        for source in asset.sources:
            try:
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


def _remove_leftovers(target: Path) -> None:
    """Removes what a killed process left half-written; only safe while nobody else may write."""
    for leftover in target.parent.glob(f".{target.name}.*"):
        if leftover.suffix != ".lock":
            leftover.unlink(missing_ok=True)


def _fetch_from(source: Source, asset: Asset, target: Path, progress: bool) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        # A ready-made file is copied; how much smaller a converted one is, is not known before.
        copy = source.size or 0 if source.format == "safetensors" else 0
        download(source.url, part, label=asset.name, spare=copy, progress=progress)
        sha256 = checksum(part)
        if not sha256.startswith(source.sha256):
            raise TransferError(f"its SHA-256 begins with {sha256[:8]}, expected {source.sha256[:8]}")
        if source.format == "safetensors":
            write_atomically(target, lambda temporary: shutil.copyfile(part, temporary))
        else:
            converted = _converted(asset, source, sha256, part)
            write_atomically(target, lambda temporary: temporary.write_bytes(converted))
    finally:
        part.unlink(missing_ok=True)


def _converted(asset: Asset, source: Source, sha256: str, downloaded: Path) -> bytes:
    """Returns the safetensors file with the tensors that are used, and where they come from."""
    from safetensors.torch import save

    tensors = _used(asset, _tensors(source, downloaded))
    described = {
        "source": source.url,
        "source_sha256": sha256,
        "license": asset.license,
        "input_convention": CONVENTIONS.get(asset.convention, asset.convention),
        "layout": asset.layout,
        "content_sha256": content_sha256(io.BytesIO(save(tensors))),
    }
    return save(tensors, metadata=described)


def _tensors(source: Source, downloaded: Path) -> Mapping[Any, Any]:
    import torch

    try:
        if source.format == "npz":
            import numpy as np

            with np.load(downloaded, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        state = torch.load(downloaded, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever a strange file makes it raise
        raise TransferError(
            f"it cannot be read as plain tensors, and code inside it is never run ({type(error).__name__})"
        ) from None
    if not isinstance(state, Mapping):
        raise TransferError(f"it holds a {type(state).__name__}, expected tensors by name")
    return state


def _used(asset: Asset, state: Mapping[Any, Any]) -> dict[str, Any]:
    import torch

    used = {}
    for key, tensor in state.items():
        match = re.fullmatch(asset.keep, str(key))
        if match and isinstance(tensor, torch.Tensor):
            plain = tensor.detach().squeeze() if asset.squeeze else tensor.detach()
            used[match.expand(asset.rename)] = plain.clone(memory_format=torch.contiguous_format)
    if len(used) != asset.tensors:
        raise TransferError(f"it holds {len(used)} of the tensors in use, expected {asset.tensors}")
    return used
