"""One picture with all it holds: depth, gray, alpha and colours come back as they were."""

import numpy as np
import pytest
import torch
from torch import nn

from pdloss.picture_files.originals import Original
from pdloss.picture_files.profiles import curves_and_matrix
from pdloss.restoration.restorer import Restorer
from tests.picture_files.profiles_for_tests import adobe_like
from tests.restoration.networks_for_tests import built

RANDOM = np.random.default_rng(0)


class Same(nn.Module):
    """Gives back what it gets, and keeps how it looked."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x.clone())
        return x.clone()


def values(dtype: type, *shape: int) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(21, 34), (21, 34, 3), (1, 1, 3), (5, 3)])
def test_a_network_that_changes_nothing_gives_every_value_back(dtype: type, shape: tuple[int, ...]) -> None:
    picture = Original(values(dtype, *shape), values(dtype, *shape[:2]))
    made = Restorer(Same(), "cpu", precision="float32")(picture, "it").picture
    assert made.values.dtype == dtype
    assert np.array_equal(made.values, picture.values) and np.array_equal(made.alpha, picture.alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_beyond_srgb_come_back_and_the_network_sees_srgb(dtype: type) -> None:
    profile = adobe_like()
    picture = Original(values(dtype, 40, 50, 3), None, profile, curves_and_matrix(profile))
    network = Same()
    made = Restorer(network, "cpu", precision="float32")(picture, "it").picture
    assert made.profile == profile
    apart = np.abs(made.values.astype(int) - picture.values.astype(int)).max()
    assert apart == 0 if dtype == np.uint8 else apart <= 64  # a quarter of an 8-bit level, where a curve is steep
    seen = network.seen[-1]
    assert seen.min() < -0.01, "a green of Adobe RGB has less than no red in sRGB"
    assert (seen[0].permute(1, 2, 0).numpy() - picture.values / np.iinfo(dtype).max).std() > 0.01


def test_16_bits_are_restored_as_16_bits() -> None:
    network = built("edsr(blocks=1, width=8)")
    deep = values(np.uint16, 20, 30, 3)
    made = Restorer(network, "cpu", precision="float32")(Original(deep), "it").picture.values
    with torch.no_grad():
        expected = network(torch.from_numpy(deep / 65535).float().permute(2, 0, 1)[None])[0].clamp(0, 1)
    assert np.abs(made - expected.permute(1, 2, 0).numpy() * 65535).max() <= 1
    assert len(np.unique(made % 257)) > 200


def test_gray_stays_gray_and_alpha_grows_with_the_picture() -> None:
    network = built("edsr(scale=2, blocks=1, width=8)")
    gray, alpha = values(np.uint8, 12, 14), np.zeros((12, 14), np.uint8)
    alpha[:, 7:] = 255
    made = Restorer(network, "cpu", precision="float32")(Original(gray, alpha), "it").picture
    assert made.values.shape == made.alpha.shape == (24, 28)
    assert made.alpha[:, :8].max() == 0 and made.alpha[:, 20:].min() == 255
    coloured = np.repeat(gray[..., None], 3, axis=2)
    as_colours = Restorer(network, "cpu", precision="float32")(Original(coloured), "it").picture.values
    assert np.array_equal(as_colours, np.repeat(made.values[..., None], 3, axis=2))
