"""Metadata that are faulty cost a note, pixels that are faulty cost the picture."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest

from pdloss.errors import ImageError
from pdloss.picture_files import read

NOISE = np.random.default_rng(0).integers(0, 256, (32, 24, 3), dtype=np.uint8)
TURNED = b"Exif\0\0" + b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0112, 3, 1, 6) + bytes(4)


def chunk(kind: bytes, body: bytes, right: bool = True) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ (not right))


def png(*chunks: bytes) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(NOISE).save(buffer, "PNG")
    data = buffer.getvalue()
    at = data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def found(data: bytes, folder: Path):
    (folder / "a.png").write_bytes(data)
    return read(folder / "a.png")


FAULTS = {
    "text of a wrong checksum": chunk(b"tEXt", b"Comment\0hello", right=False),
    "profile of a wrong checksum": chunk(b"iCCP", b"name\0\0" + zlib.compress(b"nothing"), right=False),
    "exif that is none": chunk(b"eXIf", bytes(range(60))),
    "packed text of 100 MB": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10**8), 9)),
    "packed text of an unknown packing": chunk(b"zTXt", b"Comment\0\x07" + bytes(9)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_sound_png_with_faulty_metadata_is_read_with_a_note(fault: str, tmp_path: Path) -> None:
    picture = found(png(FAULTS[fault]), tmp_path)
    assert np.array_equal(picture.values, NOISE)
    assert picture.notes == ["faulty metadata ignored"]


def test_what_is_sound_beside_what_is_faulty_still_counts(tmp_path: Path) -> None:
    turned = chunk(b"eXIf", TURNED[6:])
    picture = found(png(turned, chunk(b"tEXt", b"Comment\0hello", right=False)), tmp_path)
    assert np.array_equal(picture.values, np.rot90(NOISE, -1))
    assert picture.notes == ["turned upright", "faulty metadata ignored"]


def test_a_sound_png_with_sound_metadata_has_no_note(tmp_path: Path) -> None:
    picture = found(png(chunk(b"tEXt", b"Comment\0hello"), chunk(b"tIME", bytes(7))), tmp_path)
    assert np.array_equal(picture.values, NOISE)
    assert picture.notes == []


@pytest.mark.parametrize("kind", [b"IDAT", b"PLTE", b"tRNS", b"abcd"])
def test_a_wrong_checksum_of_what_pixels_depend_on_is_refused(kind: bytes, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=rf"checksum of a part \('{kind.decode()}'\) is wrong, so the file is damaged"):
        found(png(chunk(kind, bytes(6), right=False)), tmp_path)


def jpeg(exif: bytes) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(NOISE).save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0" + bytes(range(40)), TURNED[:-10], TURNED[:16]])
def test_a_sound_jpeg_with_faulty_exif_is_read_as_it_lies(exif: bytes, tmp_path: Path) -> None:
    picture, plain = found(jpeg(exif), tmp_path), found(jpeg(b"other"), tmp_path)
    assert np.array_equal(picture.values, plain.values)
    assert picture.notes in ([], ["faulty metadata ignored"])


def test_truncated_exif_is_said(tmp_path: Path) -> None:
    assert found(jpeg(TURNED[:-10]), tmp_path).notes == ["faulty metadata ignored"]
    assert found(jpeg(TURNED), tmp_path).notes == ["turned upright"]


def tiff(values: np.ndarray, planar: bool) -> bytes:
    """An uncompressed RGB TIFF, by the standard."""
    bits = values.dtype.itemsize * 8
    stored = values.transpose(2, 0, 1) if planar else values
    strips = [plane.tobytes() for plane in stored] if planar else [stored.tobytes()]
    at = [300 + sum(map(len, strips[:k])) for k in range(len(strips))]
    count = len(strips)
    tags = [(256, 3, 1, values.shape[1]), (257, 3, 1, values.shape[0]), (258, 3, 3, 200), (259, 3, 1, 1)]
    tags += [(262, 3, 1, 2), (273, 4, count, 210 if planar else at[0]), (277, 3, 1, 3), (278, 3, 1, values.shape[0])]
    tags += [(279, 4, count, 230 if planar else len(strips[0])), (284, 3, 1, 1 + planar)]
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    head += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    head = head.ljust(200, b"\0") + struct.pack("<3H", bits, bits, bits)
    if planar:
        head = head.ljust(210, b"\0") + struct.pack("<3I", *at)
        head = head.ljust(230, b"\0") + struct.pack("<3I", *map(len, strips))
    return head.ljust(300, b"\0") + b"".join(strips)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_planar_and_deep_tiffs_are_read_right_or_refused(planar: bool, deep: bool, tmp_path: Path) -> None:
    values = NOISE.astype("<u2") * 256 + 200 if deep else NOISE
    (tmp_path / "a.tif").write_bytes(tiff(values, planar))
    if planar and deep:
        with pytest.raises(ImageError, match="a TIFF of 3 planes of 16 bits is not read; save it with its colours int"):
            read(tmp_path / "a.tif")
        return
    picture = read(tmp_path / "a.tif")
    assert np.array_equal(picture.values, NOISE)
    assert picture.notes == (["16-bit reduced to 8-bit"] if deep else [])
