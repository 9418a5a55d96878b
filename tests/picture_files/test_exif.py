"""EXIF of upright pictures, read back by Pillow."""

import pytest
from PIL import Image

from pdloss.picture_files.exif import PREFIX, upright, upright_xmp


def block(order: str = "<") -> bytes:
    said = Image.Exif()
    said.endian = order
    said[0x010F] = "Maker"
    said[0x0112] = 6
    said.get_ifd(0x8769).update({0x829A: 0.01, 0xA002: 640, 0xA003: 480, 0x927C: b"secret notes of the maker"})
    said.get_ifd(0x8825).update({1: "N", 2: (50.0, 4.0, 1.5)})
    return said.tobytes()


def read(data: bytes) -> Image.Exif:
    found = Image.Exif()
    found.load(data)
    return found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("marker", [PREFIX, b""])
def test_the_orientation_is_reset_the_size_put_right_and_the_rest_left_to_the_byte(order: str, marker: bytes) -> None:
    before = block(order)
    after = upright(marker + before.removeprefix(PREFIX), (480, 70_000))
    assert read(after)[0x0112] == 1 and read(after)[0x010F] == "Maker"
    below = read(after).get_ifd(0x8769)
    assert (below[0xA002], below[0x829A], below[0x927C]) == (480, 0.01, b"secret notes of the maker")
    assert read(after).get_ifd(0x8825) == read(before).get_ifd(0x8825) != {}
    changed = [i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    assert 1 <= len(changed) <= 9


def test_a_thumbnail_that_shows_the_old_picture_is_not_linked() -> None:
    data = bytearray(block().removeprefix(PREFIX))
    count = data[8]
    link = 10 + 12 * count
    assert data[link : link + 4] == bytes(4)
    data[link] = 99
    assert upright(bytes(data)).removeprefix(PREFIX)[link : link + 4] == bytes(4)


@pytest.mark.parametrize(
    "data", [b"", b"Exif\0\0", b"Exif\0\0garbage that is no table", block()[:30], b"II*\0\xff\xff\0\0"]
)
def test_what_cannot_be_read_is_left_out(data: bytes) -> None:
    assert upright(data, (1, 1)) == b""


def test_xmp_in_both_spellings_is_reset() -> None:
    assert upright_xmp(b"<tiff:Orientation>8</tiff:Orientation>") == b"<tiff:Orientation>1</tiff:Orientation>"
    assert upright_xmp(b"tiff:Orientation = '3'") == b"tiff:Orientation = '1'"
    assert upright_xmp(b'tiff:OrientationX="6"') == b'tiff:OrientationX="6"'
