"""Reads the tensors that an ONNX file holds, and nothing else of it.

An ONNX file is a protocol-buffers message, of which four fields are wanted; the ``onnx`` package would bring protobuf
and a graph checker to read them. Field numbers are those of ONNX's ``onnx.proto``.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9
_FLOAT = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_onnx_tensors(path: Path) -> "dict[str, np.ndarray]":
    """Returns the float32 initialisers of an ONNX file by name, in the shapes they have there.

    Args:
        path: A file whose tensors lie in itself, not beside it.

    Raises:
        ValueError: If it is no such file, or a tensor in it has another number of values than its shape says.
    """
    tensors = {}
    for graph in _submessages(memoryview(path.read_bytes()), _GRAPH):
        for initializer in _submessages(graph, _INITIALIZER):
            name, array = _tensor(initializer)
            if array is not None:
                tensors[name] = array
    if not tensors:
        raise ValueError("it holds no float32 tensors, so it is no ONNX file with weights")
    return tensors


def _tensor(message: memoryview) -> "tuple[str, np.ndarray | None]":
    shape: list[int] = []
    name, kind, data = "", 0, memoryview(b"")
    for field, wire, value in _fields(message):
        if field == _DIMS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif field == _DATA_TYPE and isinstance(value, int):
            kind = value
        elif field == _NAME and not isinstance(value, int):
            name = bytes(value).decode()
        elif field in (_RAW, _FLOATS) and wire == _BYTES and not isinstance(value, int):
            data = value
    import numpy as np  # here, so that a list of weights loads none of it

    if kind != _FLOAT:
        return name, None
    if len(data) != 4 * math.prod(shape):
        raise ValueError(f"its tensor {name!r} of shape {tuple(shape)} has {len(data)} bytes")
    return name, np.frombuffer(data, "<f4").reshape(shape)


def _submessages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for field, _, value in _fields(message):
        if field == wanted and not isinstance(value, int):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Yields the number, wire type and value of every field: an integer, or the bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield field, wire, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("it is no protocol-buffers message")
        if at + length > len(message):
            raise ValueError("it ends in the middle of a field")
        yield field, wire, message[at : at + length]
        at += length


def _varints(packed: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        values.append(value)
    return values


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("it ends in the middle of a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
