"""Statistics of an image's blocks: those of the port, block by block."""

import numpy as np
import pytest
import torch

from pdloss.metrics.scene_statistics import block_features, flat_share
from tests.metrics.textures import pixels_of, textured
from tests.oracles import matlab_resize
from tests.oracles import niqe as oracle


def test_the_ports_halving_is_matlabs(generator):
    image = torch.rand(14, 10, generator=generator, dtype=torch.float64).numpy()
    np.testing.assert_allclose(oracle.halved(image), matlab_resize.imresize(image, (7, 5), (0.5, 0.5)), atol=1e-13)


def test_features_and_sharpness_are_the_ports_block_by_block(generator):
    image = textured(generator, 192, 288)
    features, sharpness = block_features(image)
    expected, deviations = oracle.all_features(oracle.gray(pixels_of(image[0])))
    order = torch.arange(6).view(2, 3).T.flatten()  # MATLAB goes down the columns
    torch.testing.assert_close(features[0, order], torch.from_numpy(expected), rtol=0, atol=1e-9)
    torch.testing.assert_close(sharpness[0, order], torch.from_numpy(deviations), rtol=0, atol=1e-9)


def test_a_block_has_the_same_features_among_many_as_among_few(generator):
    image = textured(generator, 96 * 2, 96 * 35)
    many = block_features(image).features.view(2, 35, 36)
    few = block_features(image[..., 96 * 30 :]).features.view(2, 5, 36)
    # The first column of the few lies at a border that it does not have among the many.
    torch.testing.assert_close(many[:, 31:], few[:, 1:])


@pytest.mark.parametrize(("columns", "share"), [(0, 0.0), (100, 97 / 200), (200, 1.0)])
def test_the_flat_share_counts_windows_of_one_level(generator, columns, share):
    image = textured(generator, 200, 200)
    image[..., :columns] = 0.25
    assert flat_share(image).item() == pytest.approx(share, abs=1e-9)
