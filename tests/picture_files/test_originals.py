"""What files hold, at full depth, against arrays and other readers."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from pdloss.errors import ImageError
from pdloss.picture_files.originals import Original, read_original
from pdloss.picture_files.writing import write_picture
from tests.picture_files.profiles_for_tests import adobe_like, gamma, gray

RANDOM = np.random.default_rng(0)
DEEP = RANDOM.integers(0, 65536, (23, 31, 3), dtype=np.uint16)
SMALL = RANDOM.integers(0, 256, (23, 31, 4), dtype=np.uint8)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"rowsperstrip": 4}])
def test_16_bit_tiffs_are_read_as_another_reader_reads_them(options: dict, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "deep.tif", DEEP, photometric="rgb", **options)
    found, notes = read_original(tmp_path / "deep.tif")
    assert np.array_equal(found.values, DEEP) and found.deep and notes == []


def test_16_bit_gray_and_black_and_white_stay_gray(tmp_path: Path) -> None:
    Image.fromarray(DEEP[..., 0]).save(tmp_path / "deep.png")
    Image.fromarray(SMALL[..., 0]).convert("1").save(tmp_path / "two.png")
    deep, _ = read_original(tmp_path / "deep.png")
    two, notes = read_original(tmp_path / "two.png")
    assert np.array_equal(deep.values, DEEP[..., 0])
    assert two.values.shape == (23, 31) and set(np.unique(two.values)) == {0, 255}
    assert notes == ["black and white written as gray"]


def test_alpha_comes_beside_from_every_mode_that_has_it(tmp_path: Path) -> None:
    picture = Image.fromarray(SMALL)
    picture.save(tmp_path / "rgba.png")
    picture.convert("LA").save(tmp_path / "la.png")
    few = picture.convert("RGB").quantize(4)
    few.save(tmp_path / "few.png", transparency=2)
    Image.fromarray(SMALL[..., :3]).save(tmp_path / "shade.png", transparency=tuple(SMALL[0, 0, :3].tolist()))
    for name in ("rgba", "la"):
        assert np.array_equal(read_original(tmp_path / f"{name}.png")[0].alpha, SMALL[..., 3])
    palette, notes = read_original(tmp_path / "few.png")
    assert np.array_equal(palette.alpha, np.where(np.asarray(few) == 2, 0, 255)) and notes == [
        "palette converted to RGB"
    ]
    shade, _ = read_original(tmp_path / "shade.png")
    assert np.array_equal(shade.alpha, np.where((SMALL[..., :3] == SMALL[0, 0, :3]).all(-1), 0, 255))
    assert np.array_equal(shade.values, SMALL[..., :3])


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_a_picture_is_turned_as_pillow_turns_it_and_says_that_it_lies_upright(
    orientation: int, deep: bool, tmp_path: Path
) -> None:
    said = Image.Exif()
    said[0x0112] = orientation
    values = DEEP if deep else SMALL[..., :3]
    exif = said.tobytes()
    write_picture(tmp_path / "lies.png", Original(values, exif=exif), "png")
    found, notes = read_original(tmp_path / "lies.png")
    if not deep:
        with Image.open(tmp_path / "lies.png") as lies:
            from PIL import ImageOps

            assert np.array_equal(found.values, np.asarray(ImageOps.exif_transpose(lies)))
    top = (values >> 8).astype(np.uint8) if deep else values
    turned = Image.fromarray(top).transpose(
        {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[orientation]  # Pillow's numbers of the ways to turn
    )
    assert np.array_equal(found.values >> 8 if deep else found.values, np.asarray(turned))
    held = Image.Exif()
    held.load(found.exif)
    assert held[0x0112] == 1 and notes == ["turned upright"]


def test_profiles_of_curves_are_kept_and_those_of_srgb_change_nothing(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in {"adobe": adobe_like(), "srgb": srgb, "gray": gray(gamma(1.0))}.items():
        values = SMALL[..., 0] if name == "gray" else SMALL[..., :3]
        write_picture(tmp_path / f"{name}.png", Original(values, profile=profile), "png")
        found, notes = read_original(tmp_path / f"{name}.png")
        assert np.array_equal(found.values, values) and found.profile == profile and notes == []
        assert (found.conversion is None) == (name == "srgb")


def test_a_profile_of_the_other_kind_is_dropped_with_a_word(tmp_path: Path) -> None:
    write_picture(tmp_path / "odd.png", Original(SMALL[..., :3], profile=gray(gamma(1.0))), "png")
    found, notes = read_original(tmp_path / "odd.png")
    assert found.profile == b"" and notes == ["faulty colour profile ignored"]


def test_inks_become_rgb_with_a_word(tmp_path: Path) -> None:
    Image.fromarray(SMALL).convert("RGB").convert("CMYK").save(tmp_path / "inks.jpg", quality=100)
    found, notes = read_original(tmp_path / "inks.jpg")
    assert found.values.shape == (23, 31, 3) and notes == ["CMYK converted to RGB"] and found.profile == b""


@pytest.mark.parametrize("suffix", ["tif", "webp", "png"])
def test_several_pages_or_frames_are_refused_and_said(suffix: str, tmp_path: Path) -> None:
    first, second = (Image.fromarray(SMALL[..., at]) for at in (0, 1))
    first.save(tmp_path / f"two.{suffix}", save_all=True, append_images=[second])
    with pytest.raises(ImageError, match="holds 2 frames or pages, and pictures are restored one by one"):
        read_original(tmp_path / f"two.{suffix}")


def test_faulty_metadata_cost_a_word_and_not_the_picture(tmp_path: Path) -> None:
    Image.fromarray(SMALL[..., :3]).save(tmp_path / "odd.jpg", exif=b"Exif\0\0garbage that is no table")
    found, notes = read_original(tmp_path / "odd.jpg")
    assert found.exif == b"" and notes == ["faulty metadata ignored"]
