"""Every position of one map against every position of another, a few rows at a time: exact, in bounded memory.

The table of all pairs of two maps of 128 x 128 positions takes a gibibyte, and its gradient several. Here only some of
its rows exist at a time, each with all of its columns.
"""

from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from pdloss.ops.options import check_option

Distance = Literal["dot", "l2"]
"""``dot``: (1 - cosine)/2. ``l2``: the squared Euclidean distance."""

Center = Literal["image", "batch"]
"""Whose mean is subtracted before the angle is taken: that of each target by itself, or of all of the batch."""

Score = Callable[[Tensor, Tensor], Tensor]
"""Rows (R, C) and their places (R) in the whole → a table (R, M) of each with every column."""

BLOCK = 1 << 20
"""Numbers in a table held at a time: 4 MiB in float32, and a few times that while they are worked on."""


def points(
    restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"], distance: Distance, center: Center = "image"
) -> tuple[Float[Tensor, "b n c"], Float[Tensor, "b m c"]]:
    r"""Returns both maps as points around the target's mean, ready for `distances`; the target's without a graph.

    For ``dot`` they are scaled to length one. A point no longer than what subtracting the mean rounds off (8 units in
    the last place of the features' own length) has no direction that means anything: it becomes zero, at distance 1/2
    from every other, with a gradient of zero.

    For ``l2`` the mean changes no distance. But :math:`|x|^2 + |y|^2 - 2 \langle x, y \rangle` rounds in proportion to
    :math:`|x|^2 + |y|^2`, and features after a ReLU have a mean as large as they are: without it the difference keeps
    several more digits.

    Args:
        restored: Features (B, C, H, W).
        target: Features of the same batch and channels; height and width may differ.
        distance: What the points are for.
        center: For ``dot``, whose mean is subtracted.

    Raises:
        ValueError: If batch or channels differ, or a map has no positions, or an option is unknown.
    """
    if restored.shape[:2] != target.shape[:2] or 0 in (*restored.shape, *target.shape):
        raise ValueError(
            f"features must agree in batch and channels and have positions, got {tuple(restored.shape)} "
            f"and {tuple(target.shape)}"
        )
    check_option(Distance, distance=distance)
    check_option(Center, center=center)
    dtype = torch.promote_types(torch.promote_types(restored.dtype, target.dtype), torch.float32)
    x = restored.flatten(2).transpose(1, 2).to(dtype)  # (B, N, C)
    y = target.detach().flatten(2).transpose(1, 2).to(dtype)  # (B, M, C)
    mean_over = (0, 1) if center == "batch" and distance == "dot" else (1,)
    mean = y.mean(dim=mean_over, keepdim=True)
    if distance == "l2":
        return (x - mean).contiguous(), (y - mean).contiguous()
    floor = (8 * torch.finfo(dtype).eps) ** 2 * y.square().sum(-1, keepdim=True).mean(dim=mean_over, keepdim=True)
    return _unit(x - mean, floor), _unit(y - mean, floor)


def distances(x: Float[Tensor, "n c"], y: Float[Tensor, "m c"], distance: Distance) -> Float[Tensor, "n m"]:
    r"""Returns the distance of every pair of points, cut off at 0 where rounding would make it negative.

    .. math:: d_{ij} = \frac{1 - \langle x_i, y_j \rangle}{2} \quad \text{or} \quad
              |x_i|^2 + |y_j|^2 - 2 \langle x_i, y_j \rangle

    Args:
        x: Points, for ``dot`` of length one.
        y: Points.
        distance: ``dot`` or ``l2``.

    Raises:
        ValueError: If the distance is unknown.
    """
    check_option(Distance, distance=distance)
    if distance == "dot":
        return torch.addmm(x.new_tensor([[0.5]]), x, y.T, alpha=-0.5).clamp(min=0)
    lengths = x.square().sum(1, keepdim=True) + y.square().sum(1)  # (N, M)
    return torch.addmm(lengths, x, y.T, alpha=-2).clamp(min=0)


def similarities(table: Float[Tensor, "n m"], bandwidth: float, epsilon: float) -> Float[Tensor, "n m"]:
    r"""Returns the contextual similarities of a table of distances; each row sums to one.

    .. math:: \tilde d_{ij} = \frac{d_{ij}}{\min_k d_{ik} + \epsilon}, \quad
              CX_{ij} = \frac{\exp((1 - \tilde d_{ij})/h)}{\sum_k \exp((1 - \tilde d_{ik})/h)}

    as a softmax over j of :math:`-\tilde d_{ij}/h`: the same value, since the 1 cancels, and no overflow.

    Args:
        table: Distances, not negative.
        bandwidth: h; the smaller, the more only the nearest column counts.
        epsilon: Steadies the division.

    Example:
        >>> similarities(torch.tensor([[1.0, 2.0]]), bandwidth=1.0, epsilon=1e-5)
        tensor([[0.7311, 0.2689]])
    """
    nearest = table.min(dim=1, keepdim=True).values
    return (table * (-1 / bandwidth / (nearest + epsilon))).softmax(dim=1)


def highest(rows: Float[Tensor, "n c"], columns: int, score: Score, block: int = BLOCK) -> Float[Tensor, " m"]:
    r"""Returns for each column j the largest :math:`s_{ij}` over all rows i, with the gradient by the rows.

    The table of scores exists a few rows at a time. Its gradient is that of each column's best row alone, so that on
    the way back only rows that are best somewhere are scored again. There is no second derivative.

    Args:
        rows: Points (N, C).
        columns: Their number, M.
        score: Scores of some rows with every column, given the rows and their places; a row's scores must not depend on
            the other rows. What else it holds is constant.
        block: Scores to hold at a time; at least one row's are.

    Example:
        >>> rows = torch.tensor([[1.0, 5.0], [4.0, 2.0]], requires_grad=True)
        >>> best = highest(rows, 2, lambda some, places: 10 * some)
        >>> best.sum().backward()
        >>> best.tolist(), rows.grad.tolist()
        ([40.0, 50.0], [[0.0, 10.0], [10.0, 0.0]])
    """
    best = _Highest.apply(rows, columns, score, max(1, block // columns))  # type: ignore[no-untyped-call]
    return cast(Tensor, best)


@torch.no_grad()
def lowest(rows: Float[Tensor, "n c"], columns: int, cost: Score, block: int = BLOCK) -> Int[Tensor, " n"]:
    """Returns for each row the place of the column that costs least; the first of equals.

    Args:
        rows: Points (N, C).
        columns: Their number, M.
        cost: Costs of some rows with every column, given the rows and their places.
        block: Costs to hold at a time; at least one row's are.

    Example:
        >>> lowest(torch.tensor([[1.0, 5.0], [4.0, 2.0]]), 2, lambda some, places: some)
        tensor([0, 1])
    """
    places = torch.arange(len(rows), device=rows.device)
    blocks = torch.split(places, max(1, block // columns))
    with torch.autocast(rows.device.type, enabled=False):
        return torch.cat([cost(rows[some], some).argmin(dim=1) for some in blocks])


def grid(features: Float[Tensor, "b c h w"], dtype: torch.dtype) -> Float[Tensor, "n 2"]:
    """Returns the positions (r/H, c/W) of a map, row by row.

    Example:
        >>> grid(torch.zeros(1, 1, 2, 2), torch.float32).tolist()
        [[0.0, 0.0], [0.0, 0.5], [0.5, 0.0], [0.5, 0.5]]
    """
    rows, columns = (torch.arange(side, dtype=dtype, device=features.device) / side for side in features.shape[2:])
    return torch.cartesian_prod(rows, columns)


def gaps(a: Float[Tensor, "n 2"], b: Float[Tensor, "m 2"]) -> Float[Tensor, "n m"]:
    """Returns the Euclidean distances of positions, each difference taken by itself: exact for equal ones."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def check_positive(**numbers: float) -> None:
    """Refuses numbers that cannot be divided by.

    Raises:
        ValueError: If one is not positive.
    """
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value:g}")


def _unit(x: Tensor, floor: Tensor) -> Tensor:
    """Returns points scaled to length one, or zero where their squared length is not above the floor."""
    squared = x.square().sum(-1, keepdim=True)
    flat = squared <= floor  # so asked that NaN stays NaN
    return torch.where(flat, 0, x / squared.masked_fill(flat, 1).sqrt())


class _Highest(torch.autograd.Function):
    """The largest score of each column; remembers its row, and nothing of the table."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, columns: int, score: Score, step: int) -> Tensor:
        """Returns the best score of each column, by a running maximum over blocks of rows."""
        best = rows.new_full((columns,), -torch.inf)
        winners = torch.zeros(columns, dtype=torch.int64, device=rows.device)
        for some in torch.split(torch.arange(len(rows), device=rows.device), step):
            with torch.autocast(rows.device.type, enabled=False):
                top, winner = score(rows[some], some).max(dim=0)
            better = (top > best) | top.isnan()  # NaN wins, and is then never beaten
            best = torch.where(better, top, best)
            winners = torch.where(better, some[winner], winners)
        ctx.save_for_backward(rows, winners)
        ctx.score, ctx.step = score, step
        return best

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradient by the rows, scoring again those that were best in some column."""
        rows, winners = ctx.saved_tensors
        by_rows = torch.zeros_like(rows)
        places, place_of_column = winners.unique(return_inverse=True)
        for start in range(0, len(places), ctx.step):
            some = places[start : start + ctx.step]
            local = place_of_column - start
            won = ((local >= 0) & (local < len(some))).nonzero().squeeze(1)
            part = rows[some].requires_grad_()
            # Autocast is off for the gradient too: its products would be in half precision as well.
            with torch.enable_grad(), torch.autocast(rows.device.type, enabled=False):
                scores = ctx.score(part, some)[local[won], won]
                (by_rows[some],) = torch.autograd.grad(scores, part, gradient[won])
        return by_rows, None, None, None
