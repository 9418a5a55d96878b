"""Where crops are cut, and that their files say nothing."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import SpecError
from pdloss.picture_files import read_uint8
from pdloss.study.planning import crops


def random_picture(seed: int, height: int = 11, width: int = 13) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_square_of_largest_disagreement_is_that_of_a_slow_search(count: int) -> None:
    pictures = [random_picture(seed) for seed in range(count)]
    values = {}
    for y, x in itertools.product(range(11 - 4 + 1), range(13 - 4 + 1)):
        cut = [picture[y : y + 4, x : x + 4].astype(float) for picture in pictures]
        values[y, x] = sum(np.abs(a - b).mean() for a, b in itertools.combinations(cut, 2))
    y, x = max(values, key=lambda place: values[place])
    assert crops.disagreement_place(pictures, 4) == (x, y)


def test_random_places_cover_all_that_fit_and_no_other() -> None:
    rng = np.random.default_rng(0)
    places = {crops.random_place((6, 5, 3), 4, rng) for _ in range(200)}
    assert places == set(itertools.product(range(2), range(3)))


def test_files_of_sharp_and_smooth_pictures_have_one_size_and_the_pixels_of_the_pictures() -> None:
    smooth, sharp = np.full((40, 40, 3), 90, np.uint8), random_picture(0, 40, 40)
    files = crops.encoded({"smooth": smooth, "sharp": sharp}, np.random.default_rng(0))
    assert len(files["smooth"]) == len(files["sharp"])
    for name, picture in (("smooth", smooth), ("sharp", sharp)):
        with Image.open(io.BytesIO(files[name])) as read:
            read.verify()  # the checksum of the filling too
        with Image.open(io.BytesIO(files[name])) as read:
            assert np.array_equal(np.asarray(read), picture)
            assert read.info == {}


def test_what_fills_files_up_cannot_be_compressed_away() -> None:
    import zlib

    files = crops.encoded(
        {"smooth": np.zeros((64, 64, 3), np.uint8), "sharp": random_picture(0, 64, 64)}, np.random.default_rng(0)
    )
    assert len(zlib.compress(files["smooth"], 9)) > 0.97 * len(files["smooth"])


def test_metadata_of_the_source_do_not_reach_the_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "made by method A", 6  # description; turned by a quarter
    Image.fromarray(random_picture(1, 20, 30)).save(tmp_path / "a.png", exif=exif)
    picture = read_uint8(tmp_path / "a.png")
    assert picture.shape == (30, 20, 3)  # turned upright
    assert b"method A" not in crops.encoded({"a": picture}, np.random.default_rng(0))["a"]


def test_a_degraded_picture_is_plainly_worse_be_it_flat_or_detailed() -> None:
    for picture in (np.full((64, 64, 3), 128, np.uint8), random_picture(2, 64, 64)):
        error = crops.strongly_degraded(picture, np.random.default_rng(0)).astype(float) - picture
        assert 10 * np.log10(255**2 / np.mean(error**2)) < 20


def test_files_have_one_date(tmp_path: Path) -> None:
    crops.write_files(tmp_path, {"b.png": b"x", "a.png": b"y"})
    assert {path.stat().st_mtime for path in tmp_path.iterdir()} == {0.0}


@pytest.mark.parametrize("text", ["[1]", "{", '{"a": 3}', '{"a": ["x", 1]}'])
def test_boxes_of_another_form_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "boxes.json").write_text(text)
    with pytest.raises(SpecError, match="does not give boxes as"):
        crops.given_places(tmp_path / "boxes.json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_boxes_are_read_as_any_editor_saves_them(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "boxes.json").write_text('{"a": [1, 2]}', encoding=encoding)
    assert crops.given_places(tmp_path / "boxes.json") == {"a": (1, 2)}
