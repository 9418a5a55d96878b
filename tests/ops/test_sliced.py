"""Sliced costs against POT and closed forms; gradients by finite differences; bounded memory."""

import itertools
import math
import subprocess
import sys

import numpy as np
import ot
import pytest
import torch

from pdloss.ops import max_sliced_wasserstein, sliced_wasserstein, wasserstein_1d
from pdloss.ops.projections import sphere


@pytest.mark.parametrize("p", [1, 2])
def test_equals_pots_sliced_distance_raised_to_p(p: int, generator: torch.Generator) -> None:
    u, v = torch.randn(2, 3, 5, 30, generator=generator, dtype=torch.float64)
    directions = sphere(5, 17, generator).double()
    ours = sliced_wasserstein(u, v, directions, p)
    unit = torch.nn.functional.normalize(directions, dim=1).T.numpy()
    for value, one, other in zip(ours, u.numpy(), v.numpy(), strict=True):
        assert value.item() == pytest.approx(
            ot.sliced_wasserstein_distance(one.T, other.T, projections=unit, p=p) ** p, rel=1e-12
        )


def test_a_shift_costs_its_length_along_each_direction(generator: torch.Generator) -> None:
    u, shift = torch.randn(1, 4, 9, generator=generator), torch.tensor([1.0, -2.0, 0.0, 5.0])
    directions = sphere(4, 50, generator)
    expected = (directions @ shift).abs().mean()
    torch.testing.assert_close(sliced_wasserstein(u, u + shift[:, None], directions)[0], expected)


def test_directions_need_not_have_length_one(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 2, 4, 9, generator=generator)
    directions = sphere(4, 6, generator)
    torch.testing.assert_close(sliced_wasserstein(u, v, 7 * directions), sliced_wasserstein(u, v, directions))


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("window", [(), (2, 3)])
def test_the_gradient_is_that_of_finite_differences(
    p: float, window: tuple[int, ...], generator: torch.Generator
) -> None:
    u, v = torch.randn(2, 1, 2, 3, 4, generator=generator, dtype=torch.float64)
    directions = torch.randn(4, 2, *window, generator=generator, dtype=torch.float64)
    # Chunks of 3 directions: the sum over chunks is under test too.
    assert torch.autograd.gradcheck(
        lambda u, v: sliced_wasserstein(u, v, directions, p, chunk=36), (u.requires_grad_(), v.requires_grad_())
    )


def test_chunks_change_nothing(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 2, 6, 40, generator=generator)
    directions = sphere(6, 11, generator)
    at_once = sliced_wasserstein(u, v, directions)
    torch.testing.assert_close(sliced_wasserstein(u, v, directions, chunk=1), at_once)
    expected = wasserstein_1d(directions @ u, directions @ v).mean(1)
    torch.testing.assert_close(at_once, expected)


def test_windows_are_projected_like_a_convolution(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 1, 2, 5, 6, generator=generator)
    windows = torch.randn(4, 2, 3, 3, generator=generator)
    unit = windows / windows.square().sum((1, 2, 3), keepdim=True).sqrt()

    def along(maps: torch.Tensor) -> np.ndarray:
        patches = maps[0].unfold(1, 3, 1).unfold(2, 3, 1).numpy()  # (C, 3, 4, 3, 3)
        return np.einsum("chwij,kcij->khw", patches, unit.numpy()).reshape(4, -1)

    expected = np.mean(np.abs(np.sort(along(u)) - np.sort(along(v))))
    assert sliced_wasserstein(u, v, windows).item() == pytest.approx(expected, rel=1e-5)


def test_other_numbers_of_positions_are_compared_too(generator: torch.Generator) -> None:
    u = torch.randn(1, 3, 10, generator=generator)
    assert sliced_wasserstein(u, u.repeat(1, 1, 3), sphere(3, 8, generator)).item() == pytest.approx(0, abs=1e-6)


def test_the_costliest_direction_of_a_shift_is_its_own(generator: torch.Generator) -> None:
    u, shift = torch.randn(2, 6, 200, generator=generator), torch.tensor([1.0, 2.0, 0.0, 0.0, 0.0, -2.0])
    candidates = sphere(6, 6, generator)
    found = max_sliced_wasserstein(u, u + shift[:, None], candidates, ascents=20)
    torch.testing.assert_close(found, torch.tensor([3.0, 3.0]), rtol=1e-3, atol=0)  # |shift| = 3


def test_ascents_never_lose_what_the_candidates_had(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 3, 5, 60, generator=generator)
    v = v * torch.linspace(0.5, 2, 5)[:, None]
    candidates = sphere(5, 9, generator)
    best = wasserstein_1d(candidates @ u, candidates @ v).amax(1)
    torch.testing.assert_close(max_sliced_wasserstein(u, v, candidates, ascents=0), best)
    climbed = [max_sliced_wasserstein(u, v, candidates, ascents=n) for n in (0, 1, 4, 12)]
    assert all((more >= less - 1e-6).all() for less, more in itertools.pairwise(climbed))
    assert (climbed[-1] > 1.02 * climbed[0]).any()


def test_the_costliest_direction_is_each_images_own(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 3, 5, 30, generator=generator)
    candidates = sphere(5, 4, generator)
    together = max_sliced_wasserstein(u, v, candidates)
    alone = torch.cat([max_sliced_wasserstein(a[None], b[None], candidates) for a, b in zip(u, v, strict=True)])
    torch.testing.assert_close(together, alone)


def test_gradients_follow_the_costliest_direction(generator: torch.Generator) -> None:
    u = torch.randn(1, 3, 20, generator=generator).requires_grad_()
    v = u.detach() + torch.tensor([0.0, 4.0, 0.0])[:, None]
    max_sliced_wasserstein(u, v, torch.eye(3), ascents=0).backward()
    expected = torch.zeros(1, 3, 20)
    expected[:, 1] = -1 / 20  # every value is pulled up the second axis
    torch.testing.assert_close(u.grad, expected)


@pytest.mark.parametrize(
    ("u", "v", "directions", "message"),
    [
        ((1, 3, 8), (1, 4, 8), (5, 3), r"\(1, 3, 8\), \(1, 4, 8\) and directions \(5, 3\)"),
        ((1, 3, 8), (2, 3, 8), (5, 3), "agree in batch"),
        ((1, 3, 8), (1, 3, 8), (5, 4), "agree in batch and channels"),
        (
            (1, 3, 8, 2),
            (1, 3, 8, 8),
            (5, 3, 3, 3),
            r"\(1, 3, 8, 2\) are smaller than the directions' windows of \(3, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(u: tuple, v: tuple, directions: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sliced_wasserstein(torch.zeros(u), torch.zeros(v), torch.ones(directions))


def test_half_precision_features_give_float32_costs(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 1, 4, 64, generator=generator)
    directions = sphere(4, 4, generator)
    with torch.autocast("cpu", torch.bfloat16):
        rough = sliced_wasserstein(u.bfloat16(), v.bfloat16(), directions)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(sliced_wasserstein(u, v, directions).item(), rel=0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' own measure of memory")
def test_memory_does_not_grow_with_the_number_of_directions() -> None:
    program = """
import re, torch
from pathlib import Path
from pdloss.ops import sliced_wasserstein
torch.set_num_threads(1)
u, v = torch.rand(2, 1, 64, 48, 48)
u.requires_grad_()
directions = torch.randn(COUNT, 64)
sliced_wasserstein(u, v, directions, chunk=1 << 18).sum().backward()
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""
    few, many = (
        int(subprocess.check_output([sys.executable, "-c", program.replace("COUNT", count)]))
        for count in ("64", "1280")
    )
    # VmHWM, in KiB. All 1280 at once: 1280 * 2304 * 4 bytes = 11 MiB a copy, and a dozen copies of it while sorting.
    assert many - few < 24 * 1024


def test_a_gaussian_cloud_costs_what_its_closed_form_says(generator: torch.Generator) -> None:
    # Both Gaussian: along every θ, W_2² = (σ_u - σ_v)² with σ = 1 and 3 for isotropic clouds.
    u, v = torch.randn(1, 8, 20_000, generator=generator), 3 * torch.randn(1, 8, 20_000, generator=generator)
    value = sliced_wasserstein(u, v, sphere(8, 16, generator), 2)
    assert value.item() == pytest.approx(4.0, rel=10 / math.sqrt(20_000))
