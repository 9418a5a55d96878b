"""EXIF of a picture that was turned upright or made larger: the same block with what no longer holds put right.

The block is patched in place instead of written anew, so that notes of camera makers, whose offsets count from its
beginning, stay readable.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

import PIL.Image

PREFIX = b"Exif\0\0"
_ORIENTATION, _EXIF_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825
_WIDTH, _HEIGHT = 0xA002, 0xA003
_DESCRIBING = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
"""Description, maker, model, software, time, artist, copyright: what a TIFF says that is not about its own layout."""
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|\s*>\s*))[2-8]""")


class _Entry(NamedTuple):
    """A field whose value lies in the block's table itself."""

    tag: int
    kind: int
    at: int
    value: int


def upright(block: bytes, size: tuple[int, int] | None = None) -> bytes:
    """Returns an EXIF block that says that its picture lies upright, and has the size given; the thumbnail is unlinked.

    A thumbnail would show the picture as it was, and as it lay. What cannot be read is left out: the result is empty.

    Args:
        block: With or without the ``Exif`` marker before it; the result has it.
        size: Width and height in pixels, where they are others than the block may say.
    """
    data = bytearray(block.removeprefix(PREFIX))
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(data[:2])]
        (first,) = struct.unpack_from(f"{order}I", data, 4)
        entries, link = _table(data, order, first)
        struct.pack_into(f"{order}I", data, link, 0)
        below = next((entry.value for entry in entries if entry.tag == _EXIF_IFD), None)
        if below is not None and size:
            entries = [*entries, *_table(data, order, below)[0]]
        wanted = {_ORIENTATION: 1, **({_WIDTH: size[0], _HEIGHT: size[1]} if size else {})}
        for entry in entries:
            if entry.tag in wanted:
                _put(data, order, entry, wanted[entry.tag])
    except (KeyError, struct.error, ValueError):
        return b""
    return PREFIX + bytes(data)


def upright_xmp(packet: bytes) -> bytes:
    """Returns an XMP packet that says that its picture lies upright.

    Example:
        >>> upright_xmp(b'<rdf:Description tiff:Orientation="6"/>')
        b'<rdf:Description tiff:Orientation="1"/>'
    """
    return _XMP_ORIENTATION.sub(rb"\g<1>1", packet)


def of_tiff(picture: PIL.Image.Image) -> bytes:
    """Returns what a TIFF says about its picture and not about its own layout, as an EXIF block; empty if nothing."""
    said = picture.getexif()
    kept = PIL.Image.Exif()
    for tag in _DESCRIBING:
        if tag in said:
            kept[tag] = said[tag]
    for tag in (_EXIF_IFD, _GPS_IFD):
        if below := said.get_ifd(tag):
            kept[tag] = dict(below)
    return kept.tobytes() if len(kept) else b""


def _table(data: bytearray, order: str, at: int) -> tuple[list[_Entry], int]:
    """Returns a table's fields, and where the link to the next table stands."""
    (count,) = struct.unpack_from(f"{order}H", data, at)
    link = at + 2 + 12 * count
    if link + 4 > len(data):
        raise ValueError("a table that reaches beyond its block")
    return list(_entries(data, order, at + 2, count)), link


def _entries(data: bytearray, order: str, at: int, count: int) -> Iterator[_Entry]:
    for start in range(at, at + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, start)
        if number == 1 and kind in (3, 4):
            (value,) = struct.unpack_from(order + "H" * (kind == 3) + "I" * (kind == 4), data, start + 8)
            yield _Entry(tag, kind, start + 8, value)


def _put(data: bytearray, order: str, entry: _Entry, value: int) -> None:
    if entry.kind == 3 and value < 1 << 16:
        struct.pack_into(f"{order}H", data, entry.at, value)
    elif entry.kind == 4:
        struct.pack_into(f"{order}I", data, entry.at, value)
