"""The Wasserstein cost between samples on a line, eq. (2) and (3), with its gradient."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pdloss.ops import sorting

_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)

_CostAndSlopes = tuple[Tensor, Tensor | None, Tensor | None]


def wasserstein_1d(
    u: Float[Tensor, "*batch n"], v: Float[Tensor, "*batch m"], p: float = 1.0
) -> Float[Tensor, "*batch"]:
    r"""Returns the 1-D Wasserstein cost between samples along the last axis, eq. (2) and (3).

    .. math:: W_p^p(u, v) = \frac{1}{N} \sum_{i=1}^{N} |u_{(i)} - v_{(i)}|^p

    where :math:`u_{(1)} \leq \dots \leq u_{(N)}` are the sorted samples: a mean over samples, not raised to
    :math:`1/p`. Samples of different sizes are compared through their quantile functions, exactly:

    .. math:: W_p^p(u, v) = \int_0^1 |F_u^{-1}(t) - F_v^{-1}(t)|^p \, dt
              = \sum_k (t_k - t_{k-1}) \, |u_{(\lceil N t_k \rceil)} - v_{(\lceil M t_k \rceil)}|^p

    over the levels :math:`t_k`, all :math:`i/N` and :math:`j/M` in ascending order.

    The sorting permutations are constants of the gradient. Equal samples are taken in order of index, so that the
    gradient is the same on every run; where :math:`u_{(i)} = v_{(i)}` it is 0. For `p` above 1 there is no second
    derivative.

    NaN makes the value and the gradient of its own row NaN. An infinity costs infinity, unless it meets one of the same
    sign at the same level: their distance is undefined, and the row NaN.

    On a CPU, samples of at most 32 bits are sorted many times faster than by `torch.sort`, in as many threads as
    :func:`torch.get_num_threads` allows; `torch.compile` takes all of it as one operation of its graph.

    Args:
        u: First samples, :math:`(*, N)`; float32, float64, bfloat16 or float16.
        v: Second samples, :math:`(*, M)`, on the same device.
        p: Order of the cost, at least 1 and finite.

    Returns:
        The costs, :math:`(*)`: float64 if `u` or `v` is, else float32, half precision included. Gradients come back
        in the precision of `u` and of `v`.

    Raises:
        ValueError: If the leading shapes, or the devices, differ; if there are no samples; if they are not floats; if
            `p` is less than 1 or not finite.

    Example:
        >>> u = torch.tensor([0.0, 1.0, 3.0])
        >>> wasserstein_1d(u, u.flip(0) + 2.0)
        tensor(2.)
        >>> wasserstein_1d(torch.tensor([0.0, 1.0]), torch.tensor([3.0]))
        tensor(2.5000)

    References:
        | Projected Distribution Loss for Image Enhancement (Delbracio, Talebi and Milanfar, 2021), eq. (2)-(3)
        | https://arxiv.org/abs/2012.09289
        | Computational Optimal Transport (Peyré and Cuturi, 2019), section 2.6
        | https://arxiv.org/abs/1803.00567
    """
    _check_samples(u, v, p)
    if not torch.is_grad_enabled():
        u, v = u.detach(), v.detach()  # requires_grad alone would have the gradient computed
    if torch.compiler.is_compiling():  # NumPy sorts: one operation of the graph, with its slopes
        cost: Tensor = _transport(u, v, float(p), u.requires_grad, v.requires_grad)[0]
        return cost
    return _Transport.apply(u, v, float(p))  # type: ignore[no-any-return, no-untyped-call]


def _check_samples(u: Tensor, v: Tensor, p: float) -> None:
    if u.dtype not in _DTYPES or v.dtype not in _DTYPES:
        raise ValueError(
            f"samples must be float32, float64, bfloat16 or float16, got {u.dtype} and {v.dtype}; convert with .float()"
        )
    if u.ndim == 0 or v.ndim == 0 or u.shape[:-1] != v.shape[:-1]:
        raise ValueError(
            f"samples must agree in every axis but the last, got {tuple(u.shape)} and {tuple(v.shape)}; "
            "expand or reshape one of them"
        )
    if u.shape[-1] == 0 or v.shape[-1] == 0:
        raise ValueError(
            f"the last axis must hold at least one sample, got {tuple(u.shape)} and {tuple(v.shape)}; "
            "leave empty samples out"
        )
    if u.device != v.device:
        raise ValueError(f"samples must lie on one device, got {u.device} and {v.device}; move one with .to(...)")
    if not 1 <= p < math.inf:
        raise ValueError(f"the order p must be at least 1 and finite, got {p}; p=1 is the mean distance")


class _Transport(torch.autograd.Function):
    """The cost, with its slopes computed along the way: that is less to do, and to keep, than coming back for them."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, v: Tensor, p: float) -> Tensor:
        """Returns the cost; keeps its slope by each sample that needs a gradient."""
        cost, *slopes = _cost_and_slopes(u, v, p, *ctx.needs_input_grad[:2])
        ctx.save_for_backward(cost, *slopes)
        ctx.dtypes, ctx.p, ctx.samples = (u.dtype, v.dtype), p, u.shape[-1]
        return cost

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Returns the gradients by u and by v; those of a row without a value are NaN."""
        # To a second derivative the kept slopes are constants: right for p=1, silently wrong for any other.
        if ctx.p != 1 and torch.is_grad_enabled():
            raise RuntimeError(f"wasserstein_1d has no second derivative for p={ctx.p}; leave create_graph=True out")
        cost, *slopes = ctx.saved_tensors
        gradient = gradient.masked_fill(cost.isnan(), math.nan).unsqueeze(-1)
        by_u, by_v = (
            None if slope is None else _scaled(gradient, slope, ctx.samples, dtype)
            for slope, dtype in zip(slopes, ctx.dtypes, strict=True)
        )
        return by_u, by_v, None


def _cost_and_slopes(u: Tensor, v: Tensor, p: float, needs_u: bool, needs_v: bool) -> _CostAndSlopes:
    """Returns the cost and its slopes by u and by v, where needed: those of int8 in units of 1/N (see `_scaled`)."""
    packed = sorting.has_packed_sort(u) and sorting.has_packed_sort(v)
    return (_by_blocks if packed else _at_once)(u, v, p, needs_u, needs_v)


def _scaled(gradient: Tensor, slope: Tensor, samples: int, dtype: torch.dtype) -> Tensor:
    """Returns gradient times slope; slopes that are only signs are kept as int8, a quarter of the memory to write."""
    if slope.dtype == torch.int8:
        return (gradient * (1 / samples)).to(dtype) * slope
    return (gradient * slope).to(dtype)


@torch.library.custom_op("pdloss::transport", mutates_args=())
def _transport(u: Tensor, v: Tensor, p: float, needs_u: bool, needs_v: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The cost and its slopes for compiled graphs, where a slope that is not needed is empty."""
    cost, *slopes = _cost_and_slopes(u, v, p, needs_u, needs_v)
    one = cost.new_ones(())
    slope_u, slope_v = (
        cost.new_empty(0) if slope is None else _scaled(one, slope, u.shape[-1], cost.dtype) for slope in slopes
    )
    return cost, slope_u, slope_v


@_transport.register_fake
def _(u: Tensor, v: Tensor, p: float, needs_u: bool, needs_v: bool) -> tuple[Tensor, Tensor, Tensor]:
    dtype = torch.promote_types(torch.promote_types(u.dtype, v.dtype), torch.float32)
    cost = u.new_empty(u.shape[:-1], dtype=dtype)
    slope_u, slope_v = (
        x.new_empty(x.shape if needed else (0,), dtype=dtype) for x, needed in ((u, needs_u), (v, needs_v))
    )
    return cost, slope_u, slope_v


def _keep_slopes(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    ctx.save_for_backward(*output)
    ctx.dtypes, ctx.needed = (inputs[0].dtype, inputs[1].dtype), inputs[3:]


def _scaled_slopes(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    cost, *slopes = ctx.saved_tensors
    gradient = gradient.masked_fill(cost.isnan(), math.nan).unsqueeze(-1)
    by_u, by_v = (
        (gradient * slope).to(dtype) if needed else None
        for slope, dtype, needed in zip(slopes, ctx.dtypes, ctx.needed, strict=True)
    )
    return by_u, by_v, None, None, None


_transport.register_autograd(_scaled_slopes, setup_context=_keep_slopes)


def _cost_and_slope(d: Any, width: Any, p: float, sign: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Returns the sum of ``width |d|^p`` over the last axis, and its derivative by d; for NumPy and torch alike."""
    slope = sign(d) * width
    if p != 1:
        slope *= p * abs(d) ** (p - 1)
    return (slope * d).sum(-1) / p, slope


def _mean_and_signs(u: NDArray[np.float32], v: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Returns the mean of ``|u - v|`` over the last axis, and the signs of ``u - v``, which are N times its slopes."""
    signs = (u > v).view(np.int8) - (u < v).view(np.int8)
    d = u - v
    return np.abs(d, out=d).mean(-1), signs


class _Levels(NamedTuple):
    """The steps of two quantile functions: the rank that each has between two levels (None: i at step i)."""

    of_u: NDArray[np.int64] | None
    of_v: NDArray[np.int64] | None
    width: NDArray[np.float64] | float


def _levels(n: int, m: int) -> _Levels:
    if n == m:
        return _Levels(None, None, 1 / n)
    # In units of 1/(n m) all levels are whole numbers.
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    starts = np.concatenate([[0], ends[:-1]])
    return _Levels(starts // m, starts // n, (ends - starts) / (n * m))


def _at_once(u: Tensor, v: Tensor, p: float, needs_u: bool, needs_v: bool) -> _CostAndSlopes:
    """Returns the cost, and its slopes by u and v where needed, on any device and in any precision."""
    dtype = torch.promote_types(torch.promote_types(u.dtype, v.dtype), torch.float32)
    of_u, of_v, width = _levels(u.shape[-1], v.shape[-1])

    def at_levels(values: Tensor, of: NDArray[np.int64] | None) -> Tensor:
        values = values.to(dtype)
        return values if of is None else values.index_select(-1, torch.as_tensor(of, device=values.device))

    def by_place(slope: Tensor, of: NDArray[np.int64] | None, places: Tensor) -> Tensor:
        if of is not None:
            slope = slope.new_zeros(places.shape).index_add_(-1, torch.as_tensor(of, device=slope.device), slope)
        return torch.empty_like(slope).scatter_(-1, places, slope)

    values_u, places_u = torch.sort(u, dim=-1, stable=True)
    values_v, places_v = torch.sort(v, dim=-1, stable=True)
    d = at_levels(values_u, of_u) - at_levels(values_v, of_v)
    share = width if isinstance(width, float) else torch.as_tensor(width, dtype=dtype, device=d.device)
    cost, slope = _cost_and_slope(d, share, p, torch.sign)
    slope_u = by_place(slope, of_u, places_u) if needs_u else None
    slope_v = by_place(-slope, of_v, places_v) if needs_v else None
    return cost, slope_u, slope_v


def _by_blocks(u: Tensor, v: Tensor, p: float, needs_u: bool, needs_v: bool) -> _CostAndSlopes:
    """Returns the same for samples that have a packed sort, a few rows at a time so that they stay in the cache."""
    levels = _levels(u.shape[-1], v.shape[-1])
    width = np.asarray(levels.width, dtype=np.float32)
    signs = p == 1 and u.shape == v.shape
    sample_u, sample_v = (
        _Sample(x, of, needed, torch.int8 if signs else torch.float32)
        for x, of, needed in ((u, levels.of_u, needs_u), (v, levels.of_v, needs_v))
    )
    cost = torch.empty(u.shape[:-1], dtype=torch.float32, device="cpu")
    cost_rows = cost.view(-1).numpy()

    def work(block: slice) -> None:
        with np.errstate(all="ignore"):  # infinities and NaN speak for themselves
            values_u, places_u = sample_u.at_levels(block)
            values_v, places_v = sample_v.at_levels(block)
            if signs:
                cost_rows[block], slope = _mean_and_signs(values_u, values_v)
            else:
                cost_rows[block], slope = _cost_and_slope(values_u - values_v, width, p, np.sign)
        if places_u is not None:
            sample_u.keep(slope, places_u, block)
        if places_v is not None:
            sample_v.keep(-slope, places_v, block)

    sorting.in_blocks(work, rows=cost.numel(), n=max(u.shape[-1], v.shape[-1]))
    return cost, sample_u.slope, sample_v.slope


class _Sample:
    """One of the two samples on its way through `_by_blocks`, with the slope by it if that is needed."""

    def __init__(self, x: Tensor, of: NDArray[np.int64] | None, needs_slope: bool, kept: torch.dtype) -> None:
        self.of = of
        self.firsts = None if of is None else np.flatnonzero(np.diff(of, prepend=-1))
        self.dtype = x.dtype
        self.bits = sorting.bit_rows(x)
        self.slope = torch.empty(x.shape, dtype=kept, device="cpu") if needs_slope else None
        self.slope_rows = None if self.slope is None else self.slope.view(self.bits.shape)

    def at_levels(self, block: slice) -> tuple[NDArray[np.float32], NDArray[np.intp] | None]:
        bits, places = self.bits[block], None
        if self.slope_rows is None:
            values = np.sort(sorting.floats(bits, self.dtype), axis=-1)
        else:
            values, places = sorting.ranked(bits, self.dtype)
        if self.of is not None:
            values = values.take(self.of, axis=-1, mode="wrap")  # which is in bounds; "wrap" skips a slower check
        return values, places

    def keep(self, slope: NDArray[Any], places: NDArray[np.intp], block: slice) -> None:
        if self.firsts is not None:
            slope = np.add.reduceat(slope, self.firsts, axis=-1)
        if self.slope_rows is not None:
            out = self.slope_rows[block].view(-1)
            out.scatter_(0, torch.from_numpy(places.reshape(-1)), torch.from_numpy(slope.reshape(-1)))
