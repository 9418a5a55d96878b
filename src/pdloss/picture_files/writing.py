"""Restored pictures as files of the format, depth and metadata that their originals had: PNG, JPEG, TIFF, WebP.

Pillow writes what it can. Of 16 bits it knows gray alone, so PNG and TIFF of 16-bit colours are written here: a few
chunks or tags around what zlib compresses, with the tables of tags that Pillow keeps.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import PIL.TiffImagePlugin
from numpy.typing import NDArray

from pdloss.errors import ImageError
from pdloss.files import write_atomically
from pdloss.files.spelling import spelled
from pdloss.picture_files.exif import PREFIX
from pdloss.picture_files.originals import Original

Format = Literal["png", "jpeg", "tiff", "webp"]
FORMATS: tuple[Format, ...] = get_args(Format)

SUFFIX: dict[Format, str] = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "webp": ".webp"}
"""Of the files written."""

QUALITY = 95
"""Of JPEG files, on libjpeg's scale; their colour has the full resolution."""

_LARGEST: dict[Format, int] = {"jpeg": 65_500, "webp": 16_383, "png": 2**31 - 1, "tiff": 2**31 - 1}
_STRIP = 64
"""Rows of a TIFF that are compressed together."""


def format_of(path: Path) -> Format | None:
    """Returns the format that a name asks for; none if it is none that is written."""
    return {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff", ".webp": "webp"}.get(  # type: ignore[return-value]
        path.suffix.lower()
    )


def lossless_format(path: Path) -> Format:
    """Returns the format of a picture's file where that loses nothing, else PNG."""
    wanted = format_of(path)
    if wanted == "webp":
        return "webp" if _is_lossless_webp(path) else "png"
    return "png" if wanted in (None, "jpeg") else wanted


def written_as(form: Format, picture: Original) -> list[str]:
    """Returns what a format does not keep of a picture, to be said."""
    notes = []
    if picture.deep and form in ("jpeg", "webp"):
        notes.append(f"16-bit reduced to 8-bit, which is all that {form.upper()} holds")
    if form == "jpeg":
        notes += [f"written as JPEG of quality {QUALITY}, 4:4:4"]
        notes += ["alpha dropped, which JPEG does not hold"] if picture.alpha is not None else []
    return notes


def write_picture(path: Path, picture: Original, form: Format) -> None:
    """Writes a picture whole or not at all.

    Raises:
        ImageError: If a side is longer than the format holds.
    """
    height, width = picture.values.shape[:2]
    if max(height, width) > (most := _LARGEST[form]):
        raise ImageError(
            f"{spelled(path)}: {width} x {height} pixels are too many for {form.upper()}, whose sides have {most:,} at "
            "most; choose --format png"
        )
    writer = {"png": _png, "jpeg": _jpeg, "tiff": _tiff, "webp": _webp}[form]
    write_atomically(path, lambda temporary: writer(temporary, picture))


def _png(path: Path, picture: Original) -> None:
    if picture.deep and not (picture.values.ndim == 2 and picture.alpha is None):
        with path.open("wb") as file:
            _deep_png(file, picture)
        return
    texts = PIL.PngImagePlugin.PngInfo()
    if picture.xmp:
        texts.add_itxt("XML:com.adobe.xmp", picture.xmp.decode("utf-8", "replace"))
    _pillow(picture).save(path, "PNG", pnginfo=texts, **_said(picture))


def _jpeg(path: Path, picture: Original) -> None:
    flat = _pillow(_shallow(picture), alpha=False)
    flat.save(path, "JPEG", quality=QUALITY, subsampling="4:4:4", **_said(picture), **_packet(picture))


def _webp(path: Path, picture: Original) -> None:
    said = {name: value for name, value in _said(picture).items() if name != "dpi"}
    flat = _pillow(_shallow(picture))
    flat.save(path, "WEBP", lossless=True, exact=True, **said, **_packet(picture))


def _said(picture: Original) -> dict[str, Any]:
    """Returns what Pillow is to write beside the values."""
    said = {"icc_profile": picture.profile, "exif": picture.exif, "dpi": picture.dpi}
    return {name: value for name, value in said.items() if value}


def _packet(picture: Original) -> dict[str, bytes]:
    return {"xmp": picture.xmp} if picture.xmp else {}


def _shallow(picture: Original) -> Original:
    if not picture.deep:
        return picture
    values, alpha = (None if each is None else _rounded(each) for each in (picture.values, picture.alpha))
    assert values is not None
    return Original(values, alpha, picture.profile)


def _rounded(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Returns 8-bit values of 16-bit ones, to the nearest."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def pillow_image(picture: Original) -> PIL.Image.Image:
    """Returns a picture as Pillow's image, with its metadata; of 16 bits Pillow holds gray alone, and the rest is cut.

    Example:
        >>> pillow_image(Original(np.zeros((2, 3), np.uint16))).mode
        'I;16'
    """
    deep_gray = picture.deep and picture.values.ndim == 2 and picture.alpha is None
    made = _pillow(picture if deep_gray else _shallow(picture))
    made.info.update(_said(picture) | _packet(picture))
    return made


def _pillow(picture: Original, alpha: bool = True) -> PIL.Image.Image:
    return PIL.Image.fromarray(_channels(picture) if alpha else np.ascontiguousarray(picture.values))


def _channels(picture: Original) -> NDArray[Any]:
    """Returns the values with alpha as their last channel: (h, w) or (h, w, c)."""
    if picture.alpha is None:
        return np.ascontiguousarray(picture.values)
    values = picture.values if picture.values.ndim == 3 else picture.values[..., None]
    return np.concatenate([values, picture.alpha[..., None]], axis=-1)


def _deep_png(file: BinaryIO, picture: Original) -> None:
    """Writes a PNG of 16 bits, as its specification has it (third edition, sections 5, 9 and 11)."""
    values = _channels(picture)
    height, width, channels = values.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0))
    if picture.profile:
        _chunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(picture.profile))
    if picture.dpi:
        _chunk(file, b"pHYs", struct.pack(">IIB", *(round(each / 0.0254) for each in picture.dpi), 1))
    if picture.xmp:
        _chunk(file, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + picture.xmp)
    if picture.exif:
        _chunk(file, b"eXIf", picture.exif.removeprefix(PREFIX))
    packer = zlib.compressobj(6)
    for part in _filtered(values):
        if packed := packer.compress(part):
            _chunk(file, b"IDAT", packed)
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def _filtered(values: NDArray[np.uint16]) -> Iterator[bytes]:
    """Yields the rows, each less what its left or its upper neighbours foretell, whichever leaves smaller bytes."""
    before = np.zeros(values.shape[1] * values.shape[2] * 2, np.uint8)
    step = values.shape[2] * 2
    for row in values:
        line = row.astype(">u2").reshape(-1).view(np.uint8)
        left = line.copy()
        left[step:] -= line[:-step]
        filters = {1: left, 2: line - before}
        kind = min(filters, key=lambda each: int(np.abs(filters[each].view(np.int8).astype(np.int16)).sum()))
        yield bytes([kind]) + filters[kind].tobytes()
        before = line


def _tiff(path: Path, picture: Original) -> None:
    """Writes a TIFF of strips, compressed by zlib after taking each value's left neighbour away."""
    if picture.deep and picture.values.ndim == 2 and picture.alpha is not None:  # which few programs read
        picture = replace(picture, values=np.repeat(picture.values[..., None], 3, axis=2))
    values = _channels(picture)
    values = values[..., None] if values.ndim == 2 else values
    height, width, channels = values.shape
    bits, colours = (16 if picture.deep else 8), 3 if picture.values.ndim == 3 else 1
    strips = [zlib.compress(_differences(values[at : at + _STRIP])) for at in range(0, height, _STRIP)]
    table = _tags(picture)
    for tag, value in {
        256: width,
        257: height,
        258: (bits,) * channels,
        259: 8,  # zlib
        262: 2 if colours == 3 else 1,  # RGB, or gray with black as zero
        277: channels,
        278: _STRIP,
        317: 2,  # differences to the left neighbour
        **({338: 2} if channels > colours else {}),  # alpha, not multiplied into the colours
    }.items():
        table[tag] = value
    sizes = tuple(map(len, strips))
    table.tagtype[273] = table.tagtype[279] = 4  # 32 bits
    table[273] = tuple(sum(sizes[:index]) for index in range(len(sizes)))
    table[279] = sizes
    with path.open("wb") as file:
        table.save(file)  # which adds to the strips' places where the table ends
        file.writelines(strips)


def _tags(picture: Original) -> PIL.TiffImagePlugin.ImageFileDirectory_v2:
    """Returns a table with what a TIFF says of its picture beside the values."""
    table = PIL.TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    if picture.exif:
        said = PIL.Image.Exif()
        said.load(picture.exif)
        for tag, value in said.items():
            # Its own layout, and where things lie, it tells itself.
            if tag in (270, 271, 272) or (tag not in (0x0112, 0x8769, 0x8825, 0xA005) and not 254 <= tag <= 280):
                table[tag] = value
        for tag in (0x8769, 0x8825):
            if below := said.get_ifd(tag):
                table[tag] = dict(below)
    if picture.profile:
        table.tagtype[34675] = 7
        table[34675] = picture.profile
    if picture.xmp:
        table.tagtype[700] = 1
        table[700] = picture.xmp
    if picture.dpi:
        table[282], table[283], table[296] = picture.dpi[0], picture.dpi[1], 2
    return table


def _differences(rows: NDArray[Any]) -> bytes:
    values = rows.copy()
    values[:, 1:] -= rows[:, :-1]
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def _is_lossless_webp(path: Path) -> bool:
    """Returns whether a WebP file holds its picture without loss: then its chunk is called so."""
    try:
        with path.open("rb") as file:
            if file.read(12)[8:] != b"WEBP":
                return False
            while len(head := file.read(8)) == 8:
                if head[:4] in (b"VP8L", b"VP8 ", b"ANIM"):
                    return head[:4] == b"VP8L"
                size = int.from_bytes(head[4:], "little")
                file.seek(size + size % 2, 1)
    except OSError:  # whoever reads it will say so
        pass
    return False
