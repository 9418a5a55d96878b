"""The 1-D Wasserstein cost against all pairings, SciPy, POT, closed forms, and autograd through `torch.sort`."""

import inspect
import math
import random
import re
import subprocess
import sys

import numpy as np
import ot
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from pdloss.ops import sorting, wasserstein_1d
from tests.oracles.transport import cheapest_pairing, sorted_cost

ORDERS = [1.0, 1.5, 2.0, 3.0]
FLOATS = [torch.float32, torch.bfloat16, torch.float16, torch.float64]

few = settings(max_examples=25, deadline=None, derandomize=True)
numbers = st.floats(-100, 100, allow_nan=False, width=32)


@pytest.fixture(params=["packed", "torch"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test with the packed sort, and with `torch.sort` as on a GPU."""
    if request.param == "torch":
        monkeypatch.setattr(sorting, "has_packed_sort", lambda _: False)
    return request.param


def leaf(x: Tensor) -> Tensor:
    return x.detach().clone().requires_grad_()


def gradients(u: Tensor, v: Tensor, p: float = 1.0) -> tuple[Tensor, Tensor]:
    """The gradients of a sum in which every row counts differently."""
    u, v = leaf(u), leaf(v)
    cost = wasserstein_1d(u, v, p)
    by_u, by_v = torch.autograd.grad((cost * torch.arange(1, cost.numel() + 1).view(cost.shape)).sum(), (u, v))
    return by_u, by_v


@pytest.mark.parametrize("p", ORDERS)
def test_is_the_cheapest_of_all_pairings(p: float, path: str, generator: torch.Generator) -> None:
    u, v = torch.randn(2, 4, 6, generator=generator)
    expected = [cheapest_pairing(a.tolist(), b.tolist(), p) for a, b in zip(u, v, strict=True)]
    torch.testing.assert_close(wasserstein_1d(u, v, p), torch.tensor(expected), rtol=1e-5, atol=0)


@pytest.mark.parametrize(("n", "m"), [(50, 50), (7, 12), (12, 7), (6, 9), (40, 8), (1, 5), (300, 299)])
def test_agrees_with_scipy(n: int, m: int, path: str, generator: torch.Generator) -> None:
    u, v = torch.randn(3, n, generator=generator), torch.rand(3, m, generator=generator)
    expected = [scipy.stats.wasserstein_distance(a, b) for a, b in zip(u.numpy(), v.numpy(), strict=True)]
    np.testing.assert_allclose(wasserstein_1d(u, v).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("m", [64, 48])
def test_agrees_with_pot(p: int, m: int, path: str, generator: torch.Generator) -> None:
    u, v = torch.randn(5, 64, generator=generator), torch.randn(5, m, generator=generator) + 0.5
    expected = ot.wasserstein_1d(u.double().T, v.double().T, p=p)
    torch.testing.assert_close(wasserstein_1d(u, v, p).double(), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize(("n", "m"), [(9, 9), (12, 8), (8, 12), (7, 10)])
def test_value_and_gradient_agree_with_autograd_through_a_sort(
    n: int, m: int, p: float, path: str, generator: torch.Generator
) -> None:
    u, v = torch.randn(2, 3, n, generator=generator), torch.randn(2, 3, m, generator=generator)
    a, b = leaf(u.double()), leaf(v.double())
    expected = sorted_cost(a, b, p)
    by_a, by_b = torch.autograd.grad((expected * torch.arange(1, 7).view(2, 3)).sum(), (a, b))
    by_u, by_v = gradients(u, v, p)
    torch.testing.assert_close(wasserstein_1d(u, v, p), expected.float(), rtol=1e-6, atol=0)
    torch.testing.assert_close(by_u, by_a.float(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(by_v, by_b.float(), rtol=1e-5, atol=1e-6)


def test_long_rows_agree_with_a_sort_to_a_millionth(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 3, 20_000, generator=generator)
    a = leaf(u)
    expected = sorted_cost(a, v)
    torch.testing.assert_close(wasserstein_1d(u, v), expected.detach(), rtol=1e-6, atol=0)
    (by_a,) = torch.autograd.grad((expected * torch.arange(1, 4)).sum(), a)
    torch.testing.assert_close(gradients(u, v)[0], by_a, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 6)])
@pytest.mark.parametrize("p", ORDERS)
def test_gradient_agrees_with_finite_differences(n: int, m: int, p: float, generator: torch.Generator) -> None:
    u, v = (leaf(torch.randn(2, k, generator=generator, dtype=torch.float64)) for k in (n, m))
    assert gradcheck(lambda a, b: wasserstein_1d(a, b, p), (u, v))


@few
@given(sample=st.lists(numbers, min_size=1, max_size=20), shift=numbers, p=st.sampled_from([1.0, 2.0]))
def test_moving_a_sample_costs_the_distance(sample: list[float], shift: float, p: float) -> None:
    u = torch.tensor(sample, dtype=torch.float64)
    for dtype in (torch.float64, torch.float32):
        cost = wasserstein_1d(u.to(dtype), (u + shift).to(dtype), p).item()
        assert cost == pytest.approx(abs(shift) ** p, rel=1e-4, abs=1e-3 if dtype == torch.float32 else 1e-9)


@few
@given(sample=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), scale=st.sampled_from([-8.0, -1.0, 0.5]))
def test_scaling_both_samples_scales_the_cost(sample: list[tuple[float, float]], scale: float) -> None:
    u, v = torch.tensor(sample).T
    for p in (1.0, 3.0):
        torch.testing.assert_close(wasserstein_1d(scale * u, scale * v, p), abs(scale) ** p * wasserstein_1d(u, v, p))


@few
@given(sample=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), order=st.randoms(use_true_random=False))
def test_ignores_the_order_of_samples(sample: list[tuple[float, float]], order: random.Random) -> None:
    u, v = torch.tensor(sample).T
    shuffled = list(range(len(sample)))
    order.shuffle(shuffled)
    assert wasserstein_1d(u[shuffled], v).equal(wasserstein_1d(u, v))
    assert wasserstein_1d(v, u[shuffled]).equal(wasserstein_1d(u, v))


def test_knows_the_cost_between_gaussians() -> None:
    n = 4096
    z = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n).float()
    shuffled = z[torch.randperm(n, generator=torch.Generator().manual_seed(1))]
    # The mid-level quantiles lack the tails: their mean square falls short of 1 by about (log n) / n = 0.002.
    squared = wasserstein_1d(0.5 * z + 1, 2 * shuffled - 1, p=2)
    torch.testing.assert_close(squared, torch.tensor((1 + 1) ** 2 + (2 - 0.5) ** 2), rtol=2e-3, atol=0)
    absolute = wasserstein_1d(0.5 * z, 2 * shuffled, p=1)
    torch.testing.assert_close(absolute, torch.tensor((2 - 0.5) * math.sqrt(2 / math.pi)), rtol=2e-3, atol=0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_equal_samples_are_taken_in_order_of_index(dtype: torch.dtype, path: str) -> None:
    u = torch.tensor([[0.0, -0.0, 0.0, -0.0, 0.0], [1.0, -2.0, 1.0, -2.0, 1.0]], dtype=dtype)
    v = torch.tensor([[-1.0, -1.0, 0.0, 1.0, 1.0], [-3.0, -1.0, 0.0, 2.0, 1.0]], dtype=dtype)
    by_u, _ = gradients(u, v)
    # The zeros, at 0 1 2 3 4, meet -1 -1 0 1 1. Then -2 -2 1 1 1, at 1 3 0 2 4, meet -3 -1 0 1 2.
    signs = [[1.0, 1.0, 0.0, -1.0, -1.0], [1.0, 1.0, 0.0, -1.0, -1.0]]
    assert by_u.sign().tolist() == signs


def test_both_paths_agree_to_the_last_bit_of_the_gradient(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    u, v = torch.randint(-20, 21, (2, 40, 300), generator=generator) / 8  # many ties, within and across
    packed = wasserstein_1d(u, v), *gradients(u, v)
    monkeypatch.setattr(sorting, "has_packed_sort", lambda _: False)
    portable = wasserstein_1d(u, v), *gradients(u, v)
    torch.testing.assert_close(packed[0], portable[0], rtol=1e-6, atol=0)
    assert packed[1].equal(portable[1])
    assert packed[2].equal(portable[2])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("n", [33, 70_000])  # a key holds 16 bits of index, or 32
def test_half_precision_is_computed_in_float32(
    dtype: torch.dtype, n: int, path: str, generator: torch.Generator
) -> None:
    u, v = torch.randn(2, 2, n, generator=generator).to(dtype)
    cost = wasserstein_1d(u, v)
    assert cost.dtype == torch.float32
    torch.testing.assert_close(cost, wasserstein_1d(u.float(), v.float()), rtol=1e-6, atol=0)
    for half, full in zip(gradients(u, v), gradients(u.float(), v.float()), strict=True):
        assert half.equal(full.to(dtype))


def test_precisions_may_be_mixed(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 5, generator=generator)
    cost = wasserstein_1d(u.bfloat16(), v)
    assert cost.dtype == torch.float32
    assert cost.equal(wasserstein_1d(u.bfloat16().float(), v))
    assert [g.dtype for g in gradients(u.bfloat16(), v)] == [torch.bfloat16, torch.float32]
    cost = wasserstein_1d(u.double(), v)
    assert cost.dtype == torch.float64
    assert cost.item() == pytest.approx(sorted_cost(u.double(), v.double()).item(), rel=1e-12)


def test_autocast_changes_nothing(generator: torch.Generator) -> None:
    u, v = torch.randn(2, 4, 30, generator=generator)
    expected = wasserstein_1d(u, v, 1.5)
    with torch.autocast("cpu", torch.bfloat16):
        assert wasserstein_1d(u, v, 1.5).equal(expected)
        assert wasserstein_1d(u.double(), v.double(), 1.5).dtype == torch.float64


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("nan", [math.nan, -math.nan])
def test_nan_spoils_its_own_row_only(nan: float, dtype: torch.dtype, path: str, generator: torch.Generator) -> None:
    u, v = torch.randn(2, 3, 8, generator=generator).to(dtype)
    clean = wasserstein_1d(u, v), *gradients(u, v)
    u[1, 2] = math.copysign(math.nan, nan)
    for result, expected in zip((wasserstein_1d(u, v), *gradients(u, v)), clean, strict=True):
        assert result[1].isnan().all()
        assert result[::2].equal(expected[::2])
    assert wasserstein_1d(v, u).isnan().tolist() == [False, True, False]


def test_infinity_costs_infinity_unless_it_meets_its_like(path: str) -> None:
    inf = math.inf
    u = torch.tensor([[0.0, 1.0, inf], [0.0, 1.0, -inf], [0.0, 1.0, inf], [0.0, 1.0, inf]])
    v = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.0, -inf], [0.0, 1.0, inf]])
    cost = wasserstein_1d(u, v)
    assert cost[:3].tolist() == [inf, inf, inf]
    assert cost[3].isnan()
    assert wasserstein_1d(u[:, :], v[:, :2])[0] == inf


def test_every_row_stands_alone(path: str, generator: torch.Generator) -> None:
    u, v = torch.randn(2, 2, 3, 4, 17, generator=generator)
    cost, (by_u, by_v) = wasserstein_1d(u, v), gradients(u, v)
    assert cost.shape == (2, 3, 4)
    for i, index in enumerate(np.ndindex(2, 3, 4)):
        assert cost[index].equal(wasserstein_1d(u[index], v[index]))
        alone = gradients(u[index], v[index])
        torch.testing.assert_close(by_u[index], (i + 1) * alone[0])
        torch.testing.assert_close(by_v[index], (i + 1) * alone[1])


def test_threads_and_blocks_change_no_bit(monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    u, v = torch.randn(2, 103, 10, generator=generator)
    whole = wasserstein_1d(u, v, 2), *gradients(u, v, 2)
    monkeypatch.setattr(sorting, "BLOCK", 64)
    for threads in (1, 2, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        for piecewise, expected in zip((wasserstein_1d(u, v, 2), *gradients(u, v, 2)), whole, strict=True):
            assert piecewise.equal(expected)


def test_an_error_in_a_thread_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(sorting, "BLOCK", 1)

    def fail(block: slice) -> None:
        raise MemoryError(f"at {block.start}")

    with pytest.raises(MemoryError, match="at [01]"):  # whichever thread was first
        sorting.in_blocks(fail, rows=20, n=1)


def test_strides_do_not_matter(path: str, generator: torch.Generator) -> None:
    base = torch.randn(10, 6, 4, generator=generator)
    u, v = base[1::2].permute(2, 1, 0), base[::2].permute(2, 1, 0)
    before = base.clone()
    torch.testing.assert_close(wasserstein_1d(u, v), wasserstein_1d(u.contiguous(), v.contiguous()), rtol=1e-6, atol=0)
    for strided, dense in zip(gradients(u, v), gradients(u.contiguous(), v.contiguous()), strict=True):
        assert strided.equal(dense)
    wide = u[:, :1].expand(4, 6, 5)
    torch.testing.assert_close(wasserstein_1d(wide, v), wasserstein_1d(wide.contiguous(), v), rtol=1e-6, atol=0)
    assert base.equal(before)


def test_one_sample_and_no_rows_are_fine(path: str) -> None:
    assert wasserstein_1d(torch.tensor([3.0]), torch.tensor([1.0]), 2).item() == 4
    by_u, by_v = gradients(torch.tensor([3.0]), torch.tensor([1.0]), 2)
    assert (by_u.item(), by_v.item()) == (4, -4)
    for m in (5, 3):
        assert wasserstein_1d(torch.empty(2, 0, 5), torch.empty(2, 0, m)).shape == (2, 0)
        assert gradients(torch.empty(2, 0, 5), torch.empty(2, 0, m))[1].shape == (2, 0, m)


def test_only_the_asked_gradients_are_computed(path: str, generator: torch.Generator) -> None:
    u, v = torch.randn(2, 3, 5, generator=generator)
    by_u, by_v = gradients(u, v, 2)
    a = leaf(u)
    (wasserstein_1d(a, v, 2) * torch.arange(1, 4)).sum().backward()
    assert a.grad is not None
    assert a.grad.equal(by_u)
    b = leaf(v)
    (wasserstein_1d(u, b, 2) * torch.arange(1, 4)).sum().backward()
    assert b.grad is not None
    assert b.grad.equal(by_v)


def test_without_gradients_no_permutation_is_sought(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    u, v = (leaf(x) for x in torch.randn(2, 3, 5, generator=generator))
    expected = wasserstein_1d(u, v)
    monkeypatch.delattr(sorting, "ranked")
    with torch.no_grad():
        assert wasserstein_1d(u, v).equal(expected)
    assert not wasserstein_1d(u.detach(), v.detach()).requires_grad


def test_second_derivative_is_right_or_refused(generator: torch.Generator) -> None:
    u, v = (leaf(torch.randn(2, k, generator=generator, dtype=torch.float64)) for k in (4, 3))
    assert gradgradcheck(wasserstein_1d, (u, v))
    with pytest.raises(RuntimeError, match=r"no second derivative for p=1\.5"):
        torch.autograd.grad(wasserstein_1d(u, v, 1.5).sum(), u, create_graph=True)


def test_gives_the_same_under_compile() -> None:
    # In a process of its own: the compiler would try to trace the shape checks that pytest adds.
    script = """
import torch
from pdloss.ops import wasserstein_1d

for m in (12, 8):
    u, v = torch.randn(3, 12, requires_grad=True), torch.randn(3, m)
    compiled = torch.compile(lambda a, b: 2 * wasserstein_1d(a + 1, b), backend="eager")(u, v)
    expected = 2 * wasserstein_1d(u + 1, v)
    assert compiled.equal(expected), (compiled, expected)
    by_compiled, by_expected = (torch.autograd.grad(x.sum(), u)[0] for x in (compiled, expected))
    assert by_compiled.equal(by_expected) and by_compiled.any(), (by_compiled, by_expected)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("u", "v", "p", "words"),
    [
        (torch.ones(2, 3), torch.ones(3, 3), 1, "(2, 3) and (3, 3); expand or reshape"),
        (torch.ones(3), torch.ones(1, 3), 1, "(3,) and (1, 3); expand or reshape"),
        (torch.tensor(1.0), torch.tensor(1.0), 1, "() and (); expand or reshape"),
        (torch.ones(2, 0), torch.ones(2, 3), 1, "(2, 0) and (2, 3); leave empty samples out"),
        (torch.ones(3, dtype=torch.int64), torch.ones(3), 1, "torch.int64 and torch.float32; convert with .float()"),
        (torch.ones(3), torch.ones(3, dtype=torch.complex64), 1, "torch.complex64; convert"),
        (torch.ones(3), torch.ones(3, device="meta"), 1, "cpu and meta; move one"),
        (torch.ones(3), torch.ones(3), 0.5, "at least 1 and finite, got 0.5"),
        (torch.ones(3), torch.ones(3), math.nan, "at least 1 and finite, got nan"),
        (torch.ones(3), torch.ones(3), math.inf, "at least 1 and finite, got inf"),
    ],
)
def test_refuses_what_has_no_answer(u: Tensor, v: Tensor, p: float, words: str) -> None:
    unwatched = inspect.unwrap(wasserstein_1d)  # by jaxtyping, which under pytest would speak first
    with pytest.raises(ValueError, match=re.escape(words)):
        unwatched(u, v, p)
