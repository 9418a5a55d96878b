"""Writes TensorFlow's checkpoint files, byte by byte from their description; checksums are left zero."""

import struct
from pathlib import Path

import numpy as np

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
STRING = 7


def varint(value: int) -> bytes:
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def number(field: int, value: int) -> bytes:
    """A protocol buffer's whole number; zero is not written."""
    return varint(field << 3) + varint(value) if value else b""


def nested(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def entry(dtype: int, shape: tuple[int, ...], shard: int, offset: int, size: int) -> bytes:
    dims = b"".join(nested(2, number(1, n)) for n in shape)
    place = number(3, shard) + number(4, offset) + number(5, size)
    return number(1, dtype) + nested(2, dims) + place + varint(6 << 3 | 5) + b"\1\2\3\4"


def block(pairs: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """A table's block: keys without what they share with the one before, whole again at every sixteenth."""
    content, restarts, before = b"", [], b""
    for place, (key, value) in enumerate(pairs):
        shared = 0
        if place % 16 == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    return (
        content
        + struct.pack(f"<{len(restarts)}I", *restarts)
        + struct.pack("<I", len(restarts))
        + bytes([compression, 0, 0, 0, 0])
    )


def table(pairs: list[tuple[bytes, bytes]], per_block: int = 20, compression: int = 0) -> bytes:
    """Sorted pairs as a LevelDB table: blocks of them, a block about nothing, the index block, the footer."""
    data, index = b"", []

    def add(content: bytes) -> bytes:
        nonlocal data
        handle = varint(len(data)) + varint(len(content) - 5)
        data += content
        return handle

    for start in range(0, len(pairs), per_block):
        chunk = pairs[start : start + per_block]
        index.append((chunk[-1][0] + b"~", add(block(chunk, compression))))
    footer = add(block([])) + add(block(index))
    return data + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write(prefix: Path, variables: dict[str, np.ndarray], shards: int = 1, **options: int) -> None:
    """Writes ``prefix.index`` and its data files, with a string among them."""
    contents = [b"\xff" * 3 for _ in range(shards)]  # not everything begins at 0
    pairs = {b"": number(1, shards) + nested(3, number(1, 1)), b"graph": entry(STRING, (), 0, 0, 3)}
    for place, (name, value) in enumerate(variables.items()):
        shard = place % shards
        pairs[name.encode()] = entry(TYPES[str(value.dtype)], value.shape, shard, len(contents[shard]), value.nbytes)
        contents[shard] += value.astype(value.dtype.newbyteorder("<")).tobytes()
    Path(f"{prefix}.index").write_bytes(table(sorted(pairs.items()), **options))
    for shard, content in enumerate(contents):
        Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
