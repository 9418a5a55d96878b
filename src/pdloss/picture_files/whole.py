"""Damage that Pillow decodes without a word, and metadata that make it refuse sound pixels."""

import zlib
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# Chunks that no pixel depends on. What an animation's further frames are made of is among them: they are not read.
_METADATA = _TEXTS | {
    *(b"eXIf", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"hIST", b"sPLT"),
    *(b"tIME", b"pHYs", b"acTL", b"fcTL", b"fdAT"),
}
FAULTY = "faulty metadata ignored"


def sound(data: bytes) -> tuple[bytes, list[str]]:
    """Returns the file without metadata of a wrong checksum, and a note if there were any.

    Raises:
        ValueError: If the file is cut short, or pixels of a PNG have a wrong checksum.
    """
    if data.startswith(_PNG):
        return _sound_png(data)
    if data.startswith(b"\xff\xd8") and data.find(b"\xff\xd9", _scan_start(data)) < 0:
        raise ValueError("the end marker is missing, so the file is cut short or damaged")
    return data, []


def plainer(data: bytes) -> Iterator[bytes]:
    """Yields the file, and for a PNG that Pillow does not take, the same without texts, then without any metadata."""
    yield data
    if data.startswith(_PNG):
        yield _without(data, _TEXTS)
        yield _without(data, _METADATA)


def _sound_png(data: bytes) -> tuple[bytes, list[str]]:
    faulty = False
    kept = [_PNG]
    for kind, chunk in _chunks(data):
        right = zlib.crc32(memoryview(chunk)[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if not right and kind not in _METADATA:
            raise ValueError(f"the checksum of a part ({kind.decode('latin-1')!r}) is wrong, so the file is damaged")
        faulty |= not right
        kept += [chunk] if right else []
    return (b"".join(kept), [FAULTY]) if faulty else (data, [])


def _without(data: bytes, kinds: frozenset[bytes] | set[bytes]) -> bytes:
    return _PNG + b"".join(chunk for kind, chunk in _chunks(data) if kind not in kinds)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields each chunk's kind, and all of it, to the last one.

    Raises:
        ValueError: If there is no last one.
    """
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            raise ValueError("the end marker is missing, so the file is cut short or damaged")
        yield kind, data[at : at + 12 + length]
        at += 12 + length


def _scan_start(data: bytes) -> int:
    """Returns where a JPEG's first scan begins; headers are stepped over, since a thumbnail has its own end marker."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        # 0xFF may be repeated as filling before a marker.
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at
