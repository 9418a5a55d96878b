"""Which pictures a pattern means, and which of two patterns belong together."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import ImageError
from pdloss.picture_files.patterns import is_pattern, matched, pictures_of


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 2, 3), dtype=np.uint8)).save(folder / name)


def test_a_star_stands_for_a_part_of_one_name_and_two_for_any_folders(tmp_path: Path) -> None:
    write(tmp_path, "a/sharp/1.png", "a/blur/1.png", "b/sharp/1.png", "b/c/sharp/1.png")
    assert list(pictures_of(tmp_path / "*/sharp").files) == ["a/sharp/1.png", "b/sharp/1.png"]
    assert list(pictures_of(tmp_path / "**/sharp").files) == ["a/sharp/1.png", "b/c/sharp/1.png", "b/sharp/1.png"]
    assert list(pictures_of(tmp_path / "?/c/*").files) == ["b/c/sharp/1.png"]


def test_partners_are_those_for_whom_the_stars_stand_for_the_same(tmp_path: Path) -> None:
    write(tmp_path, "a/GT_1.png", "a/GT_2.png", "b/GT_1.png", "a/NOISY_1.png", "b/NOISY_1.png", "c/NOISY_1.png")
    found = matched(pictures_of(tmp_path / "*/GT_*.png"), pictures_of(tmp_path / "*/NOISY_*.png"))
    assert found.pairs == [("a/GT_1.png", "a/NOISY_1.png"), ("b/GT_1.png", "b/NOISY_1.png")]
    assert found.alone == ["a/GT_2.png"]
    assert found.others_alone == ["c/NOISY_1.png"]


def test_folders_pair_by_path_whatever_the_suffix_or_a_scale_at_the_end(tmp_path: Path) -> None:
    write(tmp_path, "hr/x/0001.png", "hr/0002.png", "lr/x/0001x4.png", "lr/0002x4.png", "jpg/x/0001.jpg")
    target = pictures_of(tmp_path / "hr")
    assert matched(target, pictures_of(tmp_path / "lr")).pairs == [
        ("0002.png", "0002x4.png"),
        ("x/0001.png", "x/0001x4.png"),
    ]
    assert matched(target, pictures_of(tmp_path / "jpg")).pairs == [("x/0001.png", "x/0001.jpg")]


def test_a_folder_whose_name_has_a_star_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "a*/1.png", "ab/2.png")
    assert not is_pattern(tmp_path / "a*")
    assert list(pictures_of(tmp_path / "a*").files) == ["1.png"]


def test_a_pattern_that_nothing_fits_is_answered_with_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, "a/sharp/1.png")
    with pytest.raises(ImageError, match=r"fits \*/blurred; there are a/sharp/1.png"):
        pictures_of(tmp_path / "*" / "blurred")
