"""Downloads one asset: alone, from the first address that serves it whole, converted to safetensors.

Nothing stands under the final name that is not whole and verified. Pickled files are opened with
``torch.load(weights_only=True)`` and in no other way, so that no code from a download is ever run.
"""

import contextlib
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pdloss.catalogue import CONVENTIONS, Asset, Source
from pdloss.files import write_atomically

_CHUNK = 1 << 18
_TIMEOUT = 30.0
"""Seconds without a byte after which an address is given up."""
_LARGEST_HEADER = 100_000_000
"""Bytes; the limit that the safetensors format sets itself."""


class TransferError(Exception):
    """No address gave the file; says of each why."""


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
    with _alone(target, progress) as held:
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


def read_header(file: io.BufferedIOBase) -> dict[str, Any]:
    """Returns the JSON header of a safetensors file; reading then stands at the first tensor.

    Raises:
        ValueError: If it is not a safetensors file.
    """
    size = int.from_bytes(file.read(8), "little")
    if not 2 <= size <= _LARGEST_HEADER:
        raise ValueError("no safetensors header")
    text = file.read(size)
    header = json.loads(text)
    if len(text) != size or not isinstance(header, dict):
        raise ValueError("no safetensors header")
    return header


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


@contextlib.contextmanager
def _alone(target: Path, progress: bool) -> Iterator[bool]:
    """Lets one process at a time through for `target`; yields whether the system can promise that.

    The system frees the lock with the process that holds it, however it ends; what stays is an empty file. Where
    there are no such locks, two processes may both download: a waste, but the last rename wins whole.
    """
    with target.with_name(f".{target.name}.lock").open("ab") as lock:
        try:
            import fcntl
        except ImportError:
            yield False
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if progress:
                sys.stderr.write(f"another process is fetching {target.name}; waiting for it\n")
                sys.stderr.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:  # some network file systems have no locks
            yield False
            return
        try:
            yield True
        finally:
            # Closing is not enough: a process forked meanwhile holds the same open file.
            fcntl.flock(lock, fcntl.LOCK_UN)


def _remove_leftovers(target: Path) -> None:
    """Removes what a killed process left half-written; only safe while nobody else may write."""
    for leftover in target.parent.glob(f".{target.name}.*"):
        if leftover.suffix != ".lock":
            leftover.unlink(missing_ok=True)


def _fetch_from(source: Source, asset: Asset, target: Path, progress: bool) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _download(source, file, asset.name, progress)
        if not digest.startswith(source.sha256):
            raise TransferError(f"its SHA-256 begins with {digest[:8]}, expected {source.sha256[:8]}")
        if source.format == "safetensors":
            write_atomically(target, lambda temporary: shutil.copyfile(part, temporary))
        else:
            converted = _converted(asset, source, digest, part)
            write_atomically(target, lambda temporary: temporary.write_bytes(converted))
    finally:
        part.unlink(missing_ok=True)


def _download(source: Source, file: io.BufferedIOBase, label: str, progress: bool) -> str:
    """Writes what the address serves to `file` and returns its SHA-256."""
    response = _open(source.url)
    with response, _bar(label, response.length or source.size, progress) as advance:
        expected, received, digest = response.length, 0, hashlib.sha256()
        while chunk := _read(response):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            advance(len(chunk))
    if expected is not None and received != expected:
        raise TransferError(f"the transfer broke off after {received} of {expected} bytes")
    return digest.hexdigest()


def _open(url: str) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "pdloss"})
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise TransferError(str(error)) from None
    except urllib.error.URLError as error:
        raise TransferError(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(_reason(error)) from None
    return response


def _read(response: http.client.HTTPResponse) -> bytes:
    # Apart from the writing, so that a full disk is not taken for a broken transfer.
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(f"the transfer broke off: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


@contextlib.contextmanager
def _bar(label: str, total: int | None, show: bool) -> Iterator[Callable[[int], None]]:
    if not show:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=total)
        yield lambda count: bars.advance(task, count)


def _converted(asset: Asset, source: Source, digest: str, downloaded: Path) -> bytes:
    """Returns the safetensors file with the tensors that are used, and where they come from."""
    from safetensors.torch import save

    tensors = _used(asset, _tensors(source, downloaded))
    described = {
        "source": source.url,
        "source_sha256": digest,
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
