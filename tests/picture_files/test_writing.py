"""Files of restored pictures, read by other readers."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pdloss.errors import ImageError
from pdloss.picture_files.originals import Original, read_original
from pdloss.picture_files.writing import lossless_format, write_picture, written_as
from tests.picture_files.profiles_for_tests import adobe_like

RANDOM = np.random.default_rng(0)
PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">caf\xc3\xa9</x:xmpmeta>'


def exif() -> bytes:
    said = Image.Exif()
    said[0x010F] = "Maker"
    said[0x0112] = 1
    said.get_ifd(0x8769)[0x829A] = 0.01
    said.get_ifd(0x8825)[1] = "N"
    return said.tobytes()


def held(dtype: type, colours: bool, alpha: bool) -> Original:
    top = np.iinfo(dtype).max + 1
    values = RANDOM.integers(0, top, (33, 47, 3) if colours else (33, 47), dtype=dtype)
    return Original(
        values,
        RANDOM.integers(0, top, (33, 47), dtype=dtype) if alpha else None,
        profile=adobe_like() if colours else b"",
        exif=exif(),
        xmp=PACKET,
        dpi=(300.0, 300.0),
    )


@pytest.mark.parametrize(
    ("form", "dtype"),
    [("png", np.uint8), ("png", np.uint16), ("tiff", np.uint8), ("tiff", np.uint16), ("webp", np.uint8)],
)
@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_everything_comes_back_that_the_format_holds(
    form: str, dtype: type, colours: bool, alpha: bool, tmp_path: Path
) -> None:
    picture = held(dtype, colours, alpha)
    path = tmp_path / f"a.{form}"
    write_picture(path, picture, form)
    found, notes = read_original(path)
    assert notes == []
    expected = picture.values
    if not colours and (form == "webp" or (form == "tiff" and alpha and dtype == np.uint16)):
        expected = np.repeat(expected[..., None], 3, axis=2)
    assert found.values.dtype == dtype and np.array_equal(found.values, expected)
    assert np.array_equal(found.alpha, picture.alpha) if alpha else found.alpha is None
    assert found.profile == picture.profile and found.xmp == PACKET
    said = Image.Exif()
    said.load(found.exif)
    assert (said[0x010F], said.get_ifd(0x8769)[0x829A], said.get_ifd(0x8825)[1]) == ("Maker", 0.01, "N")
    assert form == "webp" or found.dpi == pytest.approx((300, 300), abs=0.01)
    assert lossless_format(path) == form


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_another_reader_reads_our_tiffs(dtype: type, tmp_path: Path) -> None:
    picture = held(dtype, True, True)
    write_picture(tmp_path / "a.tif", picture, "tiff")
    read = tifffile.imread(tmp_path / "a.tif")
    assert np.array_equal(read[..., :3], picture.values) and np.array_equal(read[..., 3], picture.alpha)


def test_a_jpeg_says_its_quality_and_what_it_does_not_hold(tmp_path: Path) -> None:
    picture = held(np.uint16, True, True)
    write_picture(tmp_path / "a.jpg", picture, "jpeg")
    found, _ = read_original(tmp_path / "a.jpg")
    assert found.values.dtype == np.uint8 and found.alpha is None and found.profile == picture.profile
    notes = written_as("jpeg", picture)
    assert len(notes) == 3 and "16-bit" in notes[0] and "quality 95, 4:4:4" in notes[1] and "alpha" in notes[2]


def test_16_bits_are_rounded_to_8_and_not_cut(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 65535, 257 * 100 + 200]], np.uint16)
    write_picture(tmp_path / "a.webp", Original(values), "webp")
    assert read_original(tmp_path / "a.webp")[0].values[0, :, 0].tolist() == [0, 0, 1, 255, 101]


def test_a_picture_that_the_format_has_no_room_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"20000 x 1 pixels are too many for WEBP.*16,383.*--format png"):
        write_picture(tmp_path / "a.webp", Original(np.zeros((1, 20_000), np.uint8)), "webp")
    assert list(tmp_path.iterdir()) == []


def test_a_deep_png_of_a_gradient_is_smaller_than_its_values(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(100), np.arange(300)).astype(np.uint16) * 100
    write_picture(tmp_path / "a.png", Original(np.repeat(ramp[..., None], 3, axis=2)), "png")
    assert (tmp_path / "a.png").stat().st_size < ramp.size * 6 / 10
