"""Pictures in a program: what goes in comes out, restored."""

import numpy as np
import pytest
import torch
from PIL import Image

import pdloss
from pdloss.errors import ImageError
from tests.restoration.networks_for_tests import built

NETWORK = built("edsr(blocks=1, width=8)")
VALUES = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)


def restored(picture):
    return pdloss.restore(picture, NETWORK, device="cpu", precision="float32")


def test_a_tensor_comes_back_as_the_network_makes_it() -> None:
    images = torch.rand(2, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = NETWORK(images).clamp(0, 1)
    torch.testing.assert_close(restored(images), expected)
    torch.testing.assert_close(restored(images[0]), expected[0])


def test_arrays_of_every_kind_come_back_as_that_kind() -> None:
    rgb = VALUES[..., :3]
    eight = restored(rgb)
    assert eight.dtype == np.uint8 and eight.shape == rgb.shape and not np.array_equal(eight, rgb)
    assert np.array_equal(restored(VALUES)[..., :3], eight) and np.array_equal(restored(VALUES)[..., 3], VALUES[..., 3])
    assert np.abs(restored(rgb.astype(np.uint16) * 257) / 257 - eight).max() <= 0.51
    floats = restored((rgb / 255).astype(np.float32))
    assert floats.dtype == np.float32 and np.abs(floats * 255 - eight).max() <= 0.51
    assert restored(VALUES[..., 0]).shape == (20, 30)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "I;16"])
def test_an_image_comes_back_in_its_mode(mode: str) -> None:
    image = Image.fromarray(VALUES).convert(mode if mode != "I;16" else "L")
    image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257) if mode == "I;16" else image
    assert restored(image).mode == mode and restored(image).size == (30, 20)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((2, 2, 2), np.uint8), r"\(h, w, 3\)"),
        (np.full((2, 2), 255.0), r"must be in \[0, 1\]"),
        (np.zeros((2, 2), np.int64), "uint8, uint16"),
        (torch.zeros(4, 2, 2), r"shape \(3, H, W\)"),
    ],
)
def test_what_is_no_picture_is_refused(picture, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        restored(picture)
