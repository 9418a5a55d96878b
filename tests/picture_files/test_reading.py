"""Pictures as a screen shows them: 8-bit RGB, whatever the file holds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import ImageError
from pdloss.picture_files import read_uint8


def test_colours_are_kept_and_grey_has_three_equal_channels(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    Image.fromarray(colours[..., 0]).save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_uint8(tmp_path / "a.png"), colours)
    np.testing.assert_array_equal(read_uint8(tmp_path / "b.png"), np.repeat(colours[..., :1], 3, axis=2))


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(colours).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_uint8(tmp_path / "a.png"), np.rot90(colours, -1))


def test_deep_grey_is_scaled_and_not_cut(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert read_uint8(tmp_path / "deep.png")[0].tolist() == [[0, 0, 0], [1, 1, 1], [255, 255, 255]]


def test_damage_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"cannot read .*bad\.png: .*; copy it again$"):
        read_uint8(tmp_path / "bad.png", "copy it again")
