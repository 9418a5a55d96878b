"""The sets that models are measured on are known by what their pictures show."""

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from pdloss.datasets import picture_hash
from pdloss.images import list_images, read_pixels
from pdloss.models.measured import leaks, measured_sets


def test_all_pictures_of_the_three_sets_are_there() -> None:
    sets = measured_sets()
    assert {name: len(pictures) for name, pictures in sets.items()} == {"kodak24": 24, "set5": 5, "set14": 14}
    assert all(len(digest) == 32 and int(digest, 16) for pictures in sets.values() for digest in pictures.values())


def test_one_of_them_under_any_name_is_found_and_others_are_not() -> None:
    kodim = measured_sets()["kodak24"]["kodim07.png"]
    nearly = f"{int(kodim, 16) ^ 0b1011:032x}"
    assert leaks({"mine.jpg": nearly, "other.jpg": "0123456789abcdef" * 2}) == ["kodim07.png of kodak24 (as mine.jpg)"]


@pytest.mark.skipif("PDLOSS_IMAGES" not in os.environ, reason="needs the photographs of PDLOSS_IMAGES")
def test_the_photographs_themselves_are_found_smaller_and_compressed(tmp_path: Path) -> None:
    folder = Path(os.environ["PDLOSS_IMAGES"]) / "valid" / "set5"
    for path in list_images(folder)[:2]:
        with PIL.Image.open(path) as picture:
            picture.convert("RGB").resize((150, 140)).save(tmp_path / "small.jpg", quality=50)
        found = leaks({"small.jpg": picture_hash(read_pixels(tmp_path / "small.jpg").pixels)})
        assert any(line.startswith(f"{path.name} of set5") for line in found)


def test_noise_is_none_of_them() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 40, 40), np.uint8))
    assert leaks({"noise.png": picture_hash(noise)}) == []
