import io

import numpy as np
import PIL.Image
import pytest
import torch

from pdloss.datasets import Photographs, picture_hash, same_pictures


def pixels_of(picture: PIL.Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


@pytest.fixture
def photographs(images_folder):
    return Photographs(images_folder / "valid" / "set14"), Photographs(images_folder / "valid" / "kodak24")


def test_a_picture_is_found_again_after_compression_scaling_and_noise(photographs, generator):
    for own in photographs:
        for index, digest in enumerate(own.hashes.values()):
            picture = PIL.Image.fromarray(own[index].permute(1, 2, 0).numpy())
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=30)
            noise = 10 * torch.randn(own[index].shape, generator=generator)
            degraded = {
                "compressed": pixels_of(PIL.Image.open(file)),
                "half as large": pixels_of(picture.resize((picture.width // 2, picture.height // 2))),
                "noisy": (own[index] + noise).clamp(0, 255).to(torch.uint8),
            }
            for how, pixels in degraded.items():
                assert same_pictures({"": digest}, {"": picture_hash(pixels)}), f"{own.names[index]} {how}"


def test_other_photographs_are_told_apart(photographs):
    for own in photographs:
        assert len(same_pictures(own.hashes, own.hashes)) == len(own)  # each with itself only


def test_evaluation_sets_are_not_among_the_training_images(images_folder):
    train = Photographs(images_folder / "train", cached=True).hashes
    for name in ("kodak24", "set5", "set14"):
        assert same_pictures(train, Photographs(images_folder / "valid" / name).hashes) == []


def test_a_picture_of_one_brightness_has_no_hash_and_is_like_nothing(generator):
    grey = (128 + 3 * torch.randn(3, 64, 64, generator=generator)).to(torch.uint8)
    assert picture_hash(grey) == ""
    assert same_pictures({"a": ""}, {"b": ""}) == []


def test_the_name_of_each_pair_is_given(generator):
    ones = {name: picture_hash(torch.randint(256, (3, 9, 9), generator=generator, dtype=torch.uint8)) for name in "abc"}
    assert same_pictures(ones, {"x": ones["b"], "y": ones["c"]}) == [("b", "x"), ("c", "y")]
    assert same_pictures({}, ones) == same_pictures(ones, {}) == []
