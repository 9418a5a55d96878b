"""Kernels of camera shake: what every kernel is, what each model of motion is, and the drawing of a path."""

import inspect
import math
import statistics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdloss.degradations import camera_shake_kernel
from pdloss.degradations import shake as module
from pdloss.degradations.shake import kernel_of_path

KINDS = ["tremor", "boracchi_foi", "gp"]
SUPPORTS = [1, 2, 2.5, 3, 7, 7.3, 15, 31]


def kernels(kind, support, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [camera_shake_kernel(kind, support, generator) for _ in range(count)]


def extents(kernel):
    rows, columns = (kernel > 0).nonzero().unbind(1)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


@pytest.mark.parametrize("support", SUPPORTS)
@pytest.mark.parametrize("kind", KINDS)
def test_kernels_are_means_centred_odd_and_inside_their_support(kind, support):
    for kernel in kernels(kind, support, 25):
        side = kernel.shape[0]
        assert kernel.shape == (side, side) and side % 2 == 1
        assert kernel.min() >= 0
        assert kernel.sum().item() == pytest.approx(1, abs=1e-12)
        places = torch.arange(side, dtype=torch.float64) - side // 2
        # Exactly in the middle, but for the hairs that are cut off.
        assert abs((kernel.sum(1) * places).sum()) < 1e-6
        assert abs((kernel.sum(0) * places).sum()) < 1e-6
        assert max(extents(kernel)) <= math.ceil(support)
        assert side <= 2 * math.ceil(support) - 1


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_fill_their_support_but_for_the_ends(kind):
    # The path is as long as keeps its ends' pixels inside: at worst a pixel shorter at either end.
    sizes = [max(extents(kernel)) for kernel in kernels(kind, 15, 40)]
    assert min(sizes) >= 13
    assert sum(sizes) / 40 > 14


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_belong_to_the_generator_and_differ(kind):
    one, two = kernels(kind, 9, 2)
    again = kernels(kind, 9, 1)[0]
    assert torch.equal(one, again)
    assert one.shape != two.shape or not torch.equal(one, two)
    state = torch.random.get_rng_state()
    kernels(kind, 9, 1)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_kernels_of_the_three_kinds_blur_but_no_kind_prefers_an_axis():
    for kind in KINDS:
        moments = torch.zeros(2, dtype=torch.float64)
        for kernel in kernels(kind, 15, 100):
            places = (torch.arange(len(kernel), dtype=torch.float64) - len(kernel) // 2).square()
            moments += torch.stack([(kernel.sum(1) * places).sum(), (kernel.sum(0) * places).sum()])
        assert 2 / 3 < moments[0] / moments[1] < 3 / 2
        assert moments.sum() / 100 > 4


def test_a_straight_path_is_drawn_evenly():
    line = torch.stack([torch.zeros(5), torch.arange(5.0)])
    kernel = kernel_of_path(line, 5)
    expected = torch.tensor([1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8], dtype=torch.float64)
    torch.testing.assert_close(kernel[2], expected, rtol=0, atol=1e-6)
    assert kernel.sum() == kernel[2].sum()


def test_time_spent_counts_and_not_the_way():
    # Three quarters of the time at one end, a quarter at the other; the centroid stays in the middle.
    path = torch.cat([torch.zeros(2, 750), torch.tensor([[0.0], [1.0]]).expand(2, 250)], dim=1)
    row = kernel_of_path(path, 9).sum(0)
    heavy, light = row[: len(row) // 2].sum(), row[len(row) // 2 + 1 :].sum()
    assert heavy.item() == pytest.approx(0.75, abs=0.01)
    assert light.item() == pytest.approx(0.25, abs=0.01)


def test_rows_are_vertical():
    kernel = kernel_of_path(torch.tensor([[0.0, 4.0], [0.0, 0.0]]), 5)
    assert extents(kernel) == (5, 1)


def test_the_gp_has_the_matern_covariance_of_order_five_halves():
    root = inspect.unwrap(module._matern_root)()
    times = torch.linspace(0, 1, 256, dtype=torch.float64)
    for i, j in ((0, 0), (0, 40), (100, 200), (0, 255)):
        r = math.sqrt(5) * abs(times[i] - times[j]).item() / 0.3
        expected = (1 + r + r * r / 3) * math.exp(-r)
        assert (root @ root.T)[i, j].item() == pytest.approx(expected, abs=1e-8)


def test_tremor_moves_with_the_power_of_drift_and_of_a_band_around_10_hertz(monkeypatch):
    # A second is seen of a process of period 4 s: 256 samples of it at 4 ms, in a fixed exposure.
    monkeypatch.setattr(module, "_EXPOSURE", (4.0, 4.0))
    generator = torch.Generator().manual_seed(0)
    power = torch.zeros(129, dtype=torch.float64)
    for _ in range(400):
        path = module._tremor(generator)[:, :-1]  # one period, whose last sample is the first of the next
        power[:128] += torch.fft.rfft(path).abs().square().sum(0)[:128]
    drift = lambda f: 1 / (f * f + 0.25)  # noqa: E731

    def expected(f):
        return drift(f) + 4 / 100.25 * math.exp(-0.5 * (f - 10) ** 2)

    for f in (1, 3, 9, 10, 11, 20):
        # 1600 exponential variables: a standard error of 1/40 each, and the reference's as much.
        ratio = (power[4 * f] / power[8]).item() / (expected(f) / expected(2))
        assert ratio == pytest.approx(1, abs=5 * math.sqrt(2 / 1600))
    assert power[124] < 1e-9 * power[8]  # nothing above 30 Hz


def test_boracchi_foi_moves_at_constant_speed_and_turns_back_now_and_then(monkeypatch):
    monkeypatch.setattr(module, "round", lambda steps: 2000, raising=False)  # the whole path, whatever the exposure
    generator = torch.Generator().manual_seed(0)
    turned = []
    for _ in range(12):
        steps = module._boracchi_foi(generator).diff(dim=1)
        assert steps.shape == (2, 2000)
        assert steps.norm(dim=0).tolist() == pytest.approx(2000 * [60 / 1999], rel=1e-9)
        cosines = (steps[:, 1:] * steps[:, :-1]).sum(0) / (60 / 1999) ** 2
        turned.append((cosines < 0).sum().item())
    # A reversal has a chance of 1 in 200 at each step on average: 10 a path; pushes turn some paths more often.
    assert 3 < statistics.median(turned) < 100


def test_boracchi_foi_sees_a_hundredth_a_tenth_a_half_or_all_of_its_path():
    generator = torch.Generator().manual_seed(0)
    assert {module._boracchi_foi(generator).shape[1] for _ in range(60)} == {21, 201, 1001, 2001}


@pytest.mark.parametrize(
    ("kind", "support", "said"),
    [
        ("shiver", 5, "kind must be one of tremor, boracchi_foi, gp, got 'shiver'"),
        ("gp", 0.5, "the support of a kernel is at least 1 pixel, got 0.5"),
        ("gp", float("nan"), "at least 1 pixel, got nan"),
    ],
)
def test_what_makes_no_kernel_is_refused(kind, support, said, generator):
    with pytest.raises(ValueError, match=said):
        inspect.unwrap(camera_shake_kernel)(kind, support, generator)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(KINDS), st.floats(1, 40), st.integers(0, 2**31 - 1))
def test_every_kernel_is_non_negative_sums_to_one_is_centred_and_keeps_to_its_support(kind, support, seed):
    (kernel,) = kernels(kind, support, 1, seed)
    places = torch.arange(len(kernel), dtype=torch.float64) - len(kernel) // 2
    assert kernel.shape == (len(kernel), len(kernel)) and len(kernel) % 2 == 1
    assert kernel.min() >= 0
    assert abs(kernel.sum() - 1) < 1e-12
    assert abs((kernel.sum(1) * places).sum()) < 1e-6 and abs((kernel.sum(0) * places).sum()) < 1e-6
    assert max(extents(kernel)) <= math.ceil(support)
