import io
import math
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from pdloss.errors import ImageError
from pdloss.images import read_image, read_pixels, to_bytes, write_image

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (9, 6, 3), dtype=np.uint8)
GRAY = RNG.integers(0, 256, (9, 6), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (9, 6, 1), dtype=np.uint8)
INDEX = RNG.integers(0, 4, (9, 6), dtype=np.uint8)
COLOURS = np.array([[10, 20, 30], [200, 0, 90], [255, 255, 255], [0, 130, 7]], dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (9, 6), dtype=np.uint16)
DEEP_AS_8 = np.round(DEEP / 257).astype(np.uint8)  # 65535 / 255 = 257, and no k / 257 ends in one half
SMOOTH = np.stack(np.meshgrid(np.arange(40), np.arange(56)), -1).repeat(2, -1)[..., :3].astype(np.uint8) * 4

ON_GRAY = "grayscale converted to RGB"
ON_PALETTE = "palette converted to RGB"
ON_ALPHA = "alpha dropped"
ON_DEEP = "16-bit reduced to 8-bit"


def gray_to_rgb(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)


def palette_picture() -> PIL.Image.Image:
    picture = PIL.Image.new("P", (6, 9))
    picture.putpalette(COLOURS.flatten().tolist())
    picture.frombytes(INDEX.tobytes())
    return picture


def png_by_hand(rows: np.ndarray, colour_type: int) -> bytes:
    """A 16-bit PNG, from the format's definition: Pillow writes none with colour."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 16, colour_type, 0, 0, 0)
    body = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def encoded(picture: PIL.Image.Image | np.ndarray, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture = PIL.Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read_bytes(folder: Path, data: bytes):
    path = folder / "image.png"
    path.write_bytes(data)
    return read_pixels(path)


def channels_last(pixels: torch.Tensor) -> np.ndarray:
    return pixels.permute(1, 2, 0).numpy()


KINDS = {
    "rgb": (lambda: encoded(RGB, "PNG"), RGB, ""),
    "gray": (lambda: encoded(GRAY, "PNG"), gray_to_rgb(GRAY), ON_GRAY),
    "gray with alpha": (
        lambda: encoded(np.dstack([GRAY, ALPHA]), "PNG"),
        gray_to_rgb(GRAY),
        f"{ON_GRAY}; {ON_ALPHA}",
    ),
    "alpha is not blended": (lambda: encoded(np.dstack([RGB, ALPHA]), "PNG"), RGB, ON_ALPHA),
    "webp with alpha": (lambda: encoded(np.dstack([RGB, ALPHA]), "WEBP", lossless=True, exact=True), RGB, ON_ALPHA),
    "palette": (lambda: encoded(palette_picture(), "PNG"), COLOURS[INDEX], ON_PALETTE),
    "palette with one transparent entry": (
        lambda: encoded(palette_picture(), "PNG", transparency=1),
        COLOURS[INDEX],
        f"{ON_PALETTE}; {ON_ALPHA}",
    ),
    "palette with half transparent entries": (
        lambda: encoded(palette_picture(), "PNG", transparency=bytes([0, 90, 180, 255])),
        COLOURS[INDEX],
        f"{ON_PALETTE}; {ON_ALPHA}",
    ),
    "rgb with one transparent colour": (
        lambda: encoded(RGB, "PNG", transparency=tuple(RGB[0, 0].tolist())),
        RGB,
        ON_ALPHA,
    ),
    "gray with one transparent shade": (
        lambda: encoded(GRAY, "PNG", transparency=int(GRAY[0, 0])),
        gray_to_rgb(GRAY),
        f"{ON_GRAY}; {ON_ALPHA}",
    ),
    "one bit": (
        lambda: encoded(GRAY > 127, "PNG"),
        gray_to_rgb((GRAY > 127).astype(np.uint8) * 255),
        "black and white converted to RGB",
    ),
    "16-bit gray png": (lambda: encoded(DEEP, "PNG"), gray_to_rgb(DEEP_AS_8), f"{ON_GRAY}; {ON_DEEP}"),
    "16-bit gray tiff": (lambda: encoded(DEEP, "TIFF"), gray_to_rgb(DEEP_AS_8), f"{ON_GRAY}; {ON_DEEP}"),
    "32-bit gray tiff": (
        lambda: encoded(DEEP.astype(np.int32), "TIFF"),
        gray_to_rgb(DEEP_AS_8),
        f"{ON_GRAY}; {ON_DEEP}",
    ),
    "floating-point tiff": (
        lambda: encoded((DEEP / 65535).astype(np.float32), "TIFF"),
        gray_to_rgb(DEEP_AS_8),
        f"{ON_GRAY}; floating point reduced to 8-bit",
    ),
    "16-bit rgb keeps the upper byte": (
        lambda: png_by_hand(RGB * np.uint16(256) + np.uint16(250), colour_type=2),
        RGB,
        ON_DEEP,
    ),
    "16-bit rgb with alpha": (
        lambda: png_by_hand(np.dstack([RGB, ALPHA]) * np.uint16(256), colour_type=6),
        RGB,
        f"{ON_DEEP}; {ON_ALPHA}",
    ),
    "bmp": (lambda: encoded(RGB, "BMP"), RGB, ""),
    "tiff": (lambda: encoded(RGB, "TIFF", compression="tiff_lzw"), RGB, ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_reads_every_kind_of_file_and_says_what_it_converted(kind, tmp_path):
    data, expected, note = KINDS[kind]
    picture = read_bytes(tmp_path, data())
    np.testing.assert_array_equal(channels_last(picture.pixels), expected)
    assert picture.note == note
    assert picture.pixels.dtype == torch.uint8
    assert picture.pixels.is_contiguous()


def test_reads_cmyk_by_the_subtractive_formula(tmp_path):
    cmyk = RNG.integers(0, 256, (9, 6, 4), dtype=np.uint8)
    picture = read_bytes(tmp_path, encoded(cmyk_picture(cmyk), "TIFF"))
    ink = cmyk.astype(float)
    expected = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
    assert np.abs(channels_last(picture.pixels) - expected).max() <= 1
    assert picture.note == "CMYK converted to RGB"


def cmyk_picture(cmyk: np.ndarray) -> PIL.Image.Image:
    return PIL.Image.frombytes("CMYK", (cmyk.shape[1], cmyk.shape[0]), cmyk.tobytes())


def test_reads_a_cmyk_jpeg_with_its_inverted_inks(tmp_path):
    cmyk = np.full((16, 16, 4), (51, 102, 0, 25), dtype=np.uint8)
    picture = read_bytes(tmp_path, encoded(cmyk_picture(cmyk), "JPEG", quality=100))
    expected = [204 * 230 / 255, 153 * 230 / 255, 255 * 230 / 255]
    assert np.abs(channels_last(picture.pixels) - expected).max() <= 3
    assert picture.note == "CMYK converted to RGB"


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {})])
def test_reads_lossy_files_close_to_what_was_written(kind, options, tmp_path):
    picture = read_bytes(tmp_path, encoded(SMOOTH, kind, quality=95, **options))
    assert np.abs(channels_last(picture.pixels).astype(float) - SMOOTH).mean() < 2
    assert picture.note == ""


def test_16_bit_gray_keeps_its_precision_as_floating_point(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(encoded(DEEP, "PNG"))
    image = read_image(path)
    assert image.dtype == torch.float32
    np.testing.assert_allclose(image[1].numpy(), DEEP / 65535, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "values",
    [np.array([[0, 70000]], np.int32), np.array([[-1, 5]], np.int32), np.array([[0, 2.5]], np.float32)],
)
def test_refuses_gray_values_of_unknown_range(values, tmp_path):
    with pytest.raises(
        ImageError, match=r"image\.png: gray values from .* are outside 0 to (1|255|65535), so nobody knows"
    ):
        read_bytes(tmp_path, encoded(values, "TIFF"))


def test_refuses_values_that_are_not_numbers(tmp_path):
    with pytest.raises(ImageError, match=r"image\.png"):
        read_bytes(tmp_path, encoded(np.array([[0.0, np.nan]], np.float32), "TIFF"))


UPRIGHT = {  # where the stored rows and columns belong, from the EXIF standard's table
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.swapaxes(a, 0, 1)[:, ::-1],
    7: lambda a: np.swapaxes(a, 0, 1)[::-1, ::-1],
    8: lambda a: np.swapaxes(a, 0, 1)[::-1],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_turns_images_upright(kind, orientation, tmp_path):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = read_bytes(tmp_path, encoded(RGB, kind, exif=exif, **options))
    np.testing.assert_array_equal(channels_last(picture.pixels), UPRIGHT[orientation](RGB))
    assert picture.note == "turned upright"


def test_turns_16_bit_images_and_jpegs_upright_too(tmp_path):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    deep = read_bytes(tmp_path, encoded(DEEP, "PNG", exif=exif))
    np.testing.assert_array_equal(deep.pixels[0].numpy(), UPRIGHT[6](DEEP_AS_8))
    assert deep.note == f"turned upright; {ON_GRAY}; {ON_DEEP}"
    jpeg = read_bytes(tmp_path, encoded(SMOOTH, "JPEG", quality=95, exif=exif))
    assert np.abs(channels_last(jpeg.pixels).astype(float) - UPRIGHT[6](SMOOTH)).mean() < 2


def test_orientation_one_is_no_conversion(tmp_path):
    exif = PIL.Image.Exif()
    exif[0x0112] = 1
    assert read_bytes(tmp_path, encoded(RGB, "PNG", exif=exif)).note == ""


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_takes_the_first_of_several_frames(kind, tmp_path):
    second = PIL.Image.fromarray(255 - RGB)
    picture = read_bytes(tmp_path, encoded(RGB, kind, save_all=True, append_images=[second]))
    np.testing.assert_array_equal(channels_last(picture.pixels), RGB)
    assert picture.note == "first of 2 frames"


NOISY = RNG.integers(0, 256, (48, 48, 3), dtype=np.uint8)
DAMAGED_KINDS = {
    "baseline": ("JPEG", {}),
    "progressive": ("JPEG", {"progressive": True}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {}),
    "tiff": ("TIFF", {"compression": None}),
    "bmp": ("BMP", {}),
}


@pytest.mark.parametrize("kind", DAMAGED_KINDS)
def test_refuses_files_cut_short_wherever_they_are_cut(kind, tmp_path):
    name, options = DAMAGED_KINDS[kind]
    whole = encoded(NOISY, name, **options)
    assert read_bytes(tmp_path, whole).pixels.shape == (3, 48, 48)
    for cut in (2, 5, 8, 12, 16, 40, 100, len(whole) // 2, len(whole) - 30, len(whole) - 3, len(whole)):
        with pytest.raises(ImageError, match=r"image\.png: \S"):
            read_bytes(tmp_path, whole[:-cut])


@pytest.mark.parametrize("kind", ["baseline", "progressive", "png"])
@pytest.mark.parametrize("lost", [0.03, 0.5, 0.9])
def test_refuses_files_whose_end_is_zeros(kind, lost, tmp_path):
    name, options = DAMAGED_KINDS[kind]
    whole = encoded(NOISY, name, **options)
    zeros = int(len(whole) * lost)
    with pytest.raises(ImageError, match=r"image\.png"):
        read_bytes(tmp_path, whole[:-zeros] + bytes(zeros))


def test_a_thumbnail_does_not_hide_that_a_jpeg_has_no_end(tmp_path):
    thumbnail = b"Exif\0\0" + encoded(SMOOTH, "JPEG")
    plain = encoded(NOISY, "JPEG")
    whole = plain[:2] + b"\xff\xe2" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + plain[2:]
    assert read_bytes(tmp_path, whole).pixels.shape == (3, 48, 48)
    with pytest.raises(ImageError, match="end marker is missing"):
        read_bytes(tmp_path, whole[: -len(plain) // 2] + bytes(len(plain) // 2))


def test_a_jpeg_with_filling_before_a_marker_and_more_after_its_end_is_whole(tmp_path):
    plain = encoded(NOISY, "JPEG")
    pixels = read_bytes(tmp_path, plain).pixels
    odd = plain[:2] + b"\xff\xff" + plain[2:] + b"appended \xff\xda film"
    assert torch.equal(read_bytes(tmp_path, odd).pixels, pixels)


def test_refuses_a_png_with_one_wrong_bit(tmp_path):
    whole = encoded(NOISY, "PNG")
    for at in range(50, len(whole), 500):
        wrong = bytearray(whole)
        wrong[at] ^= 4
        with pytest.raises(ImageError, match=r"image\.png"):
            read_bytes(tmp_path, bytes(wrong))


@pytest.mark.parametrize("data", [b"", b"not an image", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"])
def test_refuses_what_is_no_image(data, tmp_path):
    with pytest.raises(ImageError, match=r"cannot read .*image\.png: \S"):
        read_bytes(tmp_path, data)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(ImageError, match=r"cannot read .*absent\.png: No such file"):
        read_pixels(tmp_path / "absent.png")


def test_refuses_a_small_file_that_claims_to_be_huge(tmp_path):
    whole = bytearray(png_by_hand(RGB.astype(np.uint16), colour_type=2))
    whole[16:24] = struct.pack(">II", 60000, 60000)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    with pytest.raises(ImageError, match=r"image\.png.*exceeds limit"):
        read_bytes(tmp_path, bytes(whole))


def test_eight_bit_values_survive_writing_and_reading(tmp_path):
    pixels = torch.arange(256, dtype=torch.uint8).repeat(3).reshape(3, 16, 16)
    pixels[1] = pixels[0].T
    write_image(tmp_path / "all.png", pixels.float() / 255)
    picture = read_pixels(tmp_path / "all.png")
    assert torch.equal(picture.pixels, pixels)
    assert picture.note == ""
    assert torch.equal(read_image(tmp_path / "all.png"), pixels.float() / 255)


def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "a.PNG"
    for value in (0.2, 0.6):
        write_image(path, torch.full((3, 5, 3), value, requires_grad=True))
    assert [p.name for p in path.parent.iterdir()] == ["a.PNG"]
    with PIL.Image.open(path) as picture:
        assert (picture.size, picture.mode, picture.getpixel((2, 4))) == ((3, 5), "RGB", (153, 153, 153))


def test_writes_png_only(tmp_path):
    with pytest.raises(ImageError, match=r"a\.jpg: images are written as PNG only"):
        write_image(tmp_path / "a.jpg", torch.zeros(3, 2, 2))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_to_write_what_is_not_finite(value, tmp_path):
    with pytest.raises(ImageError, match=r"a\.png: not written"):
        write_image(tmp_path / "a.png", torch.full((3, 2, 2), value))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_rounds_to_the_nearest_eight_bit_value_halves_up(dtype):
    steps = torch.arange(0, 257)  # k / 256 is exact in every one of these types
    image = (steps.to(dtype) / 256).expand(3, 1, -1)
    expected = [math.floor(Fraction(k, 256) * 255 + Fraction(1, 2)) for k in steps.tolist()]
    assert to_bytes(image)[0, 0].tolist() == expected
    assert expected[128] == 128  # 127.5


def test_clamps_before_rounding_and_keeps_leading_axes():
    image = torch.tensor([-3.0, -1e-3, 1.001, 7.0]).expand(2, 5, 3, 1, 4)
    assert to_bytes(image).shape == image.shape
    assert to_bytes(image)[1, 4, 2, 0].tolist() == [0, 0, 255, 255]
