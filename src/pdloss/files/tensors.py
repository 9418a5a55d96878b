"""Files of tensors that carry a digest of all they hold, verified when they are read. safetensors, no pickle.

A flipped bit in a network's weights costs some dB and looks like a worse training; so what was not written as it is
read is refused. Files without a digest, of version 0.1.0 or other programs, are read and said to be unverified.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from pdloss.errors import RunError
from pdloss.files import write_atomically
from pdloss.limits import check_header, read_header

DIGEST = "sha256"
"""Key of the digest in the header. SHA-256, since processors compute it (1.5 GB/s on one core, CRC-32: 3.9) and 32
bits would let one in four billion damages pass, and two different files be taken for the same."""
_SEALED_BY = "sealed_by"
"""Says that a digest belongs to the file: should one of the two be gone, the header is damaged."""
_LENGTH = 8
"""Bytes at the beginning that hold the header's length."""


class TensorFile(NamedTuple):
    """What a file holds."""

    tensors: dict[str, Tensor]
    header: dict[str, str]
    """Its string metadata, without what seals it."""
    verified: bool
    """Whether it carries a digest, which then is right."""


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    header: Mapping[str, str] | None = None,
    finished: Callable[[], object] | None = None,
) -> None:
    """Writes a safetensors file with its digest, whole or not at all; equal content gives equal bytes.

    Args:
        path: Where it shall stand.
        tensors: By name.
        header: Strings to keep beside them.
        finished: Called when all is written, before the file takes the place of the one before.

    Raises:
        OSError: If it cannot be written; safetensors' own writer would hide a full disk in an error of its own kind.
    """
    data = safetensors.torch.save(dict(tensors))
    length = int.from_bytes(data[:_LENGTH], "little")
    entries = json.loads(data[_LENGTH : _LENGTH + length])
    content = memoryview(data)[_LENGTH + length :]
    said = {**(header or {}), _SEALED_BY: "pdloss"}
    said[DIGEST] = _digest(entries | {"__metadata__": said}, content)
    # safetensors puts the header's words in another order every time, and the file's hash would differ.
    text = json.dumps(entries | {"__metadata__": dict(sorted(said.items()))}).encode()
    text += b" " * (-len(text) % 8)

    def written(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.write(len(text).to_bytes(_LENGTH, "little") + text)
            file.write(content)
        if finished:
            finished()

    write_atomically(path, written)


def read_tensors(path: Path) -> TensorFile:
    """Returns what the file holds, if that is what was written.

    Raises:
        RunError: If the file is missing, is no safetensors file, or is damaged.
    """
    try:
        check_header(path)  # before all of it is read, and by readers that have no bounds
        data = path.read_bytes()
        entries, begin = _header(data)
        said = {str(key): str(value) for key, value in (entries.get("__metadata__") or {}).items()}
        tensors = safetensors.torch.load(data)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise RunError(f"{path} is not a safetensors file, or is damaged: {error}") from None
    digest, by = said.pop(DIGEST, None), said.pop(_SEALED_BY, None)
    if digest is None and by is None:
        return TensorFile(tensors, said, False)
    if digest is None or digest != _digest(entries, memoryview(data)[begin:]):
        raise RunError(f"{path} is damaged: its content is not what was written, by its SHA-256")
    return TensorFile(tensors, said, True)


def unverified(path: Path) -> str:
    """Returns a sentence if the file carries no digest by which damage would show; nothing if it does."""
    try:
        with path.open("rb") as file:
            entries = read_header(file)
    except (OSError, ValueError, OverflowError, MemoryError):
        return ""  # whoever reads it will say what is wrong
    if DIGEST in (entries.get("__metadata__") or {}):
        return ""
    return f"{path} carries no digest, as files of version 0.1.0 do not, so it could not be verified"


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """Returns the header, and where the tensors begin."""
    begin = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    entries: dict[str, Any] = json.loads(data[_LENGTH:begin])
    return entries, begin


def _digest(entries: Mapping[str, Any], content: memoryview) -> str:
    """Returns the SHA-256 over names, types, shapes, places, all other strings of the header, and the values."""
    said = {key: value for key, value in entries["__metadata__"].items() if key != DIGEST}
    digest = hashlib.sha256(json.dumps({**entries, "__metadata__": said}, sort_keys=True).encode())
    digest.update(content)
    return digest.hexdigest()
