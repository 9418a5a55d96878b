"""Transposes: <Ax, y> = <x, A'y>, for every linear degradation and for chains of them."""

from typing import get_args

import numpy as np
import pytest
import torch

from pdloss.degradations import CameraShake, Downscale, adjoint, degradation, parse
from pdloss.errors import SpecError
from pdloss.ops.resize import Kernel

LINEAR = [
    *(f"downscale(factor={f}, kernel='{k}', round=False)" for f, k in ((2, "bicubic"), (3, "lanczos3"), (4, "area"))),
    *(f"blur(support=9, motion='{motion}', seed=4)" for motion in ("tremor", "boracchi_foi", "gp")),
    *(
        f"mosaic(pattern='{p}', noise=0, layout='{form}')"
        for p in ("RGGB", "GBRG")
        for form in ("masked", "plane", "packed")
    ),
    "blur(support=7, seed=1) | downscale(factor=2, round=False)",
    "downscale(factor=2, round=False) | blur(support=5, seed=1) | mosaic(noise=0, layout='packed')",
    "blur(support=5, seed=1) | downscale(factor=3, round=False) | mosaic(noise=0) | noise(sigma=0)",
]


def assert_transposed(kind, size, generator):
    # Far enough from black and white for no kernel's overshoot to be clipped.
    x = 0.4 + 0.2 * torch.rand(3, *size, generator=generator, dtype=torch.float64)
    degraded = kind(x, generator)
    y = torch.rand(degraded.shape, generator=generator, dtype=torch.float64)
    back = adjoint(kind, y, x)
    assert back.shape == x.shape
    torch.testing.assert_close((x * back).sum(), (degraded * y).sum(), rtol=1e-11, atol=0)


@pytest.mark.parametrize("text", LINEAR)
def test_the_adjoint_is_the_transpose(text, generator):
    assert_transposed(degradation(text), (24, 36), generator)


def test_a_chain_of_one_has_the_adjoint_of_its_link(generator):
    y, like = torch.rand(3, 4, 4, generator=generator), torch.zeros(3, 8, 8)
    assert torch.equal(adjoint(parse("downscale(factor=2)"), y, like), adjoint(Downscale(factor=2), y, like))


@pytest.mark.parametrize("text", ["jpeg", "blur(support=3, seed=0) | jpeg", "jpeg | downscale(factor=2)"])
def test_what_is_not_linear_has_none(text):
    with pytest.raises(
        SpecError, match="jpeg.* is not linear and has no transpose; downscale, blur and mosaic have one"
    ):
        adjoint(degradation(text), torch.zeros(3, 4, 4), torch.zeros(3, 8, 8))


def test_a_blur_that_was_not_drawn_has_none():
    with pytest.raises(ValueError, match="has no kernel yet"):
        adjoint(CameraShake(), torch.zeros(3, 4, 4), torch.zeros(3, 4, 4))


EVERY_OTHER = [
    *(f"downscale(factor={f}, kernel='{k}', round=False)" for f in (2, 3, 4, 8) for k in get_args(Kernel)),
    *(
        f"mosaic(pattern='{p}', noise=0, layout='{form}')"
        for p in ("RGGB", "GRBG", "BGGR", "GBRG")
        for form in ("masked", "plane", "packed")
    ),
]


@pytest.mark.parametrize("text", [text for text in EVERY_OTHER if text not in LINEAR])
def test_the_adjoint_is_the_transpose_for_every_factor_kernel_pattern_and_layout(text, generator):
    assert_transposed(degradation(text), (24, 48), generator)


@pytest.mark.parametrize("shape", [(3, 9), (7, 1), (5, 5)])
def test_the_adjoint_of_a_kernel_that_was_given_is_the_transpose(shape, tmp_path, generator):
    np.savez(tmp_path / "k.npz", k=torch.rand(shape, generator=generator).numpy())
    seeded = f"blur(kernel='{tmp_path / 'k.npz'}', seed=0)"
    for text in (seeded, f"{seeded} | downscale(factor=4, round=False) | mosaic(noise=0)"):
        assert_transposed(degradation(text), (24, 36), generator)
