"""Gaussian blur against SciPy's, and what a record needs."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from pdloss.degradations import GaussianBlur, adjoint, degradation
from pdloss.specs import Range


@pytest.mark.parametrize("sigma", [0.3, 0.8, 2.0])
def test_is_scipys_out_to_three_standard_deviations(sigma, generator):
    clean = torch.rand(3, 30, 41, generator=generator)
    radius = int(np.ceil(3 * sigma))
    expected = scipy.ndimage.gaussian_filter(
        clean.double().numpy(), (0, sigma, sigma), mode="mirror", radius=(0, radius, radius)
    )
    np.testing.assert_allclose(GaussianBlur(sigma=sigma)(clean, generator).numpy(), expected, atol=2e-6)


def test_none_leaves_the_image_to_the_bit(generator):
    clean = torch.rand(3, 5, 1, generator=generator)
    assert torch.equal(GaussianBlur(sigma=0.0)(clean, generator), clean)


def test_a_range_is_drawn_for_each_image_and_its_text_makes_it_again(generator):
    clean = torch.rand(3, 20, 20, generator=generator)
    blur = degradation("gaussian_blur(sigma=0.2..1.5)")
    drawn = [blur.drawn(generator) for _ in range(50)]
    assert all(0.2 <= one.sigma <= 1.5 for one in drawn) and len({one.sigma for one in drawn}) == 50
    again = degradation(str(drawn[0]))
    assert torch.equal(again(clean, generator), drawn[0](clean, generator))
    with pytest.raises(ValueError, match="no value yet"):
        GaussianBlur(sigma=Range(0.1, 1.0)).degraded(clean, generator)


def test_its_transpose_is_one_in_a_chain_too(generator):
    x, y = torch.rand(3, 12, 16, generator=generator).double(), torch.rand(3, 6, 8, generator=generator).double()
    chain = degradation("gaussian_blur(sigma=0.9) | downscale(factor=2, round=False, kernel='area')")
    assert torch.allclose((chain(x, generator) * y).sum(), (x * adjoint(chain, y, x)).sum())
