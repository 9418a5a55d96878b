"""ICC profiles written here, byte by byte, as the specification has them."""

import struct

# Primaries of Adobe RGB (1998), adapted to D50.
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of display class with these tags."""
    said = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78), **tags}
    said = {**said, b"wtpt": xyz(0.9642, 1.0, 0.8249), b"cprt": b"text\0\0\0\0none\0"}
    place, table, data = 132 + 12 * len(said), b"", b""
    for name, tag in said.items():
        padded = tag + bytes(-len(tag) % 4)
        table += struct.pack(">4sII", name, place + len(data), len(tag))
        data += padded
    size = place + len(data)
    header = struct.pack(">I4sI4s4s4s12s4s", size, b"lcms", 0x02100000, b"mntr", space, b"XYZ ", bytes(12), b"acsp")
    header += bytes(28) + struct.pack(">3i", *(round(x * 65536) for x in (0.9642, 1.0, 0.8249))) + bytes(48)
    return header + struct.pack(">I", len(said)) + table + data


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def gamma(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256))


def parametric(kind: int, *values: float) -> bytes:
    numbers = [round(value * 65536) for value in values]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(values)}i", kind, 0, *numbers)


def adobe_like(curve: bytes | None = None) -> bytes:
    """Adobe RGB's primaries, with a gamma of 2.2 or another curve."""
    curve = curve or gamma(563 / 256)
    primaries = {name: xyz(*values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), ADOBE, strict=True)}
    return profile(b"RGB ", {**primaries, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def gray(curve: bytes) -> bytes:
    return profile(b"GRAY", {b"kTRC": curve})
