"""TensorFlow's checkpoint files, read without TensorFlow.

A checkpoint ``NAME`` is a *tensor bundle*: ``NAME.index`` says what lies where in ``NAME.data-00000-of-00001``. The
index is a sorted table in LevelDB's format: blocks of (name, entry), each name without what it shares with the one
before, found through an index block, found through the footer. An entry is a protocol buffer: type, shape, place.
"""

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pdloss.errors import AssetError
from pdloss.limits import HEADER_BYTES, bounded

# A LevelDB table ends with two (place, size) pairs, padded to 40 bytes, and this number.
_MAGIC, _FOOTER = 0xDB4775248B80FB57, 48
# TensorFlow's numbers for the types that weights and counters have; others, such as strings, are passed over.
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}

Variables = dict[str, NDArray[np.generic]]


def read_bundle(prefix: Path) -> Variables:
    """Returns the variables of the TensorFlow checkpoint of that name (without ``.index``); checksums are not verified.

    Raises:
        AssetError: If a file is missing, damaged or cut off, or of a kind that TensorFlow has to read itself.
    """
    index = Path(f"{prefix}.index")
    try:
        header, entries = _entries(bounded(index, HEADER_BYTES, "TensorFlow index"))
    except FileNotFoundError:
        raise AssetError(f"{index} does not exist: name the checkpoint as TensorFlow does, without .index") from None
    except (LookupError, ValueError, TypeError, struct.error) as error:
        raise AssetError(f"{index} is not the index of a TensorFlow checkpoint, or damaged: {error}") from None
    if _last(header, 2, 0):
        raise AssetError(f"{index} was written on a big-endian machine; convert it to an .npz file with TensorFlow")
    variables = {}
    for name, entry in entries.items():
        if entry.sliced:
            raise AssetError(f"{index} holds {name} in slices; convert it to an .npz file with TensorFlow")
        if entry.dtype is not None:
            data = Path(f"{prefix}.data-{entry.shard:05d}-of-{_last(header, 1, 1):05d}")
            content = _bytes(data, name, entry.offset, math.prod(entry.shape) * np.dtype(entry.dtype).itemsize)
            variables[name] = np.frombuffer(content, entry.dtype).reshape(entry.shape)
    return variables


class _Entry(NamedTuple):
    """What the index says of a variable."""

    dtype: str | None
    shape: tuple[int, ...]
    shard: int
    offset: int
    sliced: bool


def _entries(data: bytes) -> tuple[dict[int, list[Any]], dict[str, _Entry]]:
    """Returns the header of an index, and the entry of each variable."""
    entries = {}
    messages = {name.decode(): _message(value) for name, value in _table(data)}
    header = messages.pop("")
    for name, message in messages.items():
        shape = tuple(int(_last(_message(dim), 1, 0)) for dim in _message(_last(message, 2, b"")).get(2, []))
        dtype = _DTYPES.get(_last(message, 1, 0))
        entries[name] = _Entry(dtype, shape, int(_last(message, 3, 0)), int(_last(message, 4, 0)), 7 in message)
    return header, entries


def _bytes(file: Path, name: str, offset: int, size: int) -> bytes:
    if not file.exists():
        raise AssetError(f"{file} does not exist: a checkpoint's files belong together")
    if (there := max(file.stat().st_size - offset, 0)) < size:
        raise AssetError(f"{file} is cut off: {name} has {there} bytes instead of {size}; fetch it anew")
    with file.open("rb") as data:
        data.seek(offset)
        return data.read(size)


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the keys and values of a LevelDB table in order."""
    if len(data) < _FOOTER or struct.unpack_from("<Q", data, len(data) - 8)[0] != _MAGIC:
        raise ValueError("its end is not that of a table")
    footer = data[-_FOOTER:]
    _, at = _handle(footer, 0)
    place, _ = _handle(footer, at)
    for _, value in _block(data, *place):
        yield from _block(data, *_handle(value, 0)[0])


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Returns the (place, size) written at `at`, and where it ends."""
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    block = data[offset : offset + size]
    if len(block) < size:
        raise ValueError("it is cut off")
    if data[offset + size] != 0:  # the byte after a block tells how it is compressed
        raise ValueError("it seems to be compressed; convert the checkpoint to an .npz file with TensorFlow")
    end = size - 4 - 4 * struct.unpack_from("<I", block, size - 4)[0]  # points of restart, not needed to read it all
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _message(data: bytes) -> dict[int, list[Any]]:
    """Returns the fields of a protocol buffer by number: whole numbers, or bytes for what is nested."""
    fields: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value: int | bytes
        if tag & 7 == 0:
            value, at = _varint(data, at)
        else:
            length, at = {1: (8, at), 5: (4, at)}.get(tag & 7) or _varint(data, at)
            value, at = data[at : at + length], at + length
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _last(message: dict[int, list[Any]], field: int, default: Any) -> Any:
    """Returns a field's value; what equals the default is not written."""
    return message.get(field, [default])[-1]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Returns the whole number written seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("it holds a number of more than 64 bits")
