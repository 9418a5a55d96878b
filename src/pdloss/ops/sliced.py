"""Sliced Wasserstein costs: samples in many dimensions compared along directions, in bounded memory, eq. (4)."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.wasserstein import wasserstein_1d

CHUNK = 1 << 23
"""Projected values held at a time of each sample: 32 MiB in float32, and a few times that while they are sorted."""


def sliced_wasserstein(
    features_u: Float[Tensor, "b c *positions"],
    features_v: Float[Tensor, "b2 c2 *positions2"],
    directions: Float[Tensor, "m c3 *window"],
    p: float = 1.0,
    chunk: int = CHUNK,
) -> Float[Tensor, " b"]:
    r"""Returns the mean over directions of the 1-D Wasserstein cost between projected features, one value per image.

    .. math:: \frac{1}{M} \sum_{k=1}^{M} W_p^p\left(P_{\theta_k} F_u, P_{\theta_k} F_v\right), \quad
              P_\theta(f) = \langle \theta, f \rangle

    eq. (4) by Monte Carlo. No root is taken. Directions are scaled to length one. They are projected on and sorted in
    chunks, each with its gradient, of which only the sum is kept: memory does not grow with their number.

    Args:
        features_u: First features, (B, C, N) or (B, C, H, W): N positions, or H·W.
        features_v: Second features; the number of positions may differ.
        directions: (M, C); or (M, C, h, w) to project the windows of h x w positions around each position that has
            one, for features (B, C, H, W). No gradient reaches them.
        p: Order of the cost, at least 1.
        chunk: Projected values to hold at a time.

    Raises:
        ValueError: If batch or channels differ, or the features are smaller than the window.

    Example:
        >>> u = torch.rand(1, 3, 50)
        >>> axis = torch.tensor([[0.0, 1.0, 0.0]])
        >>> sliced_wasserstein(u, u + torch.tensor([[7.0], [2.0], [9.0]]), axis).round(decimals=4)
        tensor([2.])

    References:
        | Sliced and Radon Wasserstein Barycenters of Measures (Bonneel et al., 2015)
        | https://doi.org/10.1007/s10851-014-0506-3
    """
    if features_u.shape[:2] != features_v.shape[:2] or features_u.shape[1] != directions.shape[1]:
        raise ValueError(
            f"features and directions must agree in batch and channels, got {tuple(features_u.shape)}, "
            f"{tuple(features_v.shape)} and directions {tuple(directions.shape)}"
        )
    for features in (features_u, features_v):
        if any(side < taps for side, taps in zip(features.shape[2:], directions.shape[2:], strict=False)):
            raise ValueError(
                f"features of shape {tuple(features.shape)} are smaller than the directions' windows of "
                f"{tuple(directions.shape[2:])} positions; use larger images"
            )
    u, v = (at_least_float32(features) for features in (features_u, features_v))
    unit = F.normalize(directions.flatten(1), dim=1).view_as(directions).to(u.device, u.dtype)
    return _Sliced.apply(u, v, unit, float(p), chunk)  # type: ignore[no-any-return, no-untyped-call]


def max_sliced_wasserstein(
    features_u: Float[Tensor, "b c *positions"],
    features_v: Float[Tensor, "b c *positions2"],
    directions: Float[Tensor, "m c"],
    p: float = 1.0,
    ascents: int = 5,
    chunk: int = CHUNK,
) -> Float[Tensor, " b"]:
    r"""Returns the largest 1-D Wasserstein cost found between projected features, one value per image.

    .. math:: \max_{\|\theta\| = 1} W_p^p\left(P_\theta F_u, P_\theta F_v\right)

    from below: the costliest of the given directions is turned `ascents` times towards the gradient, for each image by
    itself, and the best direction seen is kept. Gradients reach `features_u` and `features_v` along it.

    Args:
        features_u: First features, (B, C, N) or (B, C, H, W).
        features_v: Second features; the number of positions may differ.
        directions: Candidates to start from, (M, C).
        p: Order of the cost, at least 1.
        ascents: Steps upwards from the best candidate.
        chunk: Projected values to hold at a time.

    References:
        | Max-Sliced Wasserstein Distance and its use for GANs (Deshpande et al., 2019)
        | https://arxiv.org/abs/1904.05877
    """
    u, v = (at_least_float32(features).flatten(2) for features in (features_u, features_v))
    best = costliest_directions(u.detach(), v.detach(), directions.to(u.device, u.dtype), p, ascents, chunk)
    return wasserstein_1d(_along(best, u), _along(best, v), p)


@torch.no_grad()
def costliest_directions(
    u: Float[Tensor, "b c n"], v: Float[Tensor, "b c n2"], directions: Float[Tensor, "m c"], p: float, ascents: int,
    chunk: int = CHUNK,
) -> Float[Tensor, "b c"]:  # fmt: skip
    """Returns for each image the direction of the largest cost found from the candidates `directions`."""
    candidates = F.normalize(directions, dim=1)
    step = max(1, chunk // (u.shape[0] * max(u.shape[2], v.shape[2])))
    costs = torch.cat(
        [wasserstein_1d(part @ u, part @ v, p) for part in torch.split(candidates, step)], dim=1
    )  # (B, M)
    best_cost, index = costs.max(dim=1)
    best = direction = candidates[index]  # (B, C)
    if u.is_inference():
        with torch.inference_mode(False):
            u, v = u.clone(), v.clone()
    for _ in range(ascents):
        # What inference mode made is none of a graph; a clone made outside it is.
        with torch.inference_mode(False), torch.enable_grad():
            turning = direction.clone().requires_grad_()
            cost = wasserstein_1d(_along(turning, u), _along(turning, v), p)
            (uphill,) = torch.autograd.grad(cost.sum(), turning)
        direction = F.normalize(direction + F.normalize(uphill, dim=1), dim=1)
        cost = wasserstein_1d(_along(direction, u), _along(direction, v), p)
        best = torch.where((cost > best_cost)[:, None], direction, best)
        best_cost = torch.maximum(cost, best_cost)
    return best


class _Sliced(torch.autograd.Function):
    """The mean cost over directions with its gradient summed on the way: one map each, however many directions."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, v: Tensor, directions: Tensor, p: float, chunk: int) -> Tensor:
        """Returns the mean costs; keeps the gradient by each feature map that needs one."""
        inputs = [x.detach().requires_grad_(needed) for x, needed in zip((u, v), ctx.needs_input_grad, strict=False)]
        wanted = [x for x in inputs if x.requires_grad]
        gradients = [torch.zeros_like(x) for x in wanted]
        total = u.new_zeros(u.shape[0])
        step = max(1, chunk // (u.shape[0] * max(u[0, 0].numel(), v[0, 0].numel())))
        for part in torch.split(directions, step):
            with torch.enable_grad(), torch.autocast(u.device.type, enabled=False):
                along_u, along_v = (_projected(part, x) for x in inputs)
                cost = wasserstein_1d(along_u, along_v, p).sum(1)
                by_part = torch.autograd.grad(cost.sum(), wanted) if wanted else ()
            total += cost.detach()
            for kept, gradient in zip(gradients, by_part, strict=True):
                kept += gradient
        ctx.save_for_backward(*gradients)
        ctx.count = len(directions)
        return total / len(directions)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradients by u and by v."""
        kept = iter(ctx.saved_tensors)
        by_u, by_v = (
            torch.einsum("b,b...->b...", gradient / ctx.count, next(kept)) if needed else None
            for needed in ctx.needs_input_grad[:2]
        )
        return by_u, by_v, None, None, None


def _projected(directions: Tensor, features: Tensor) -> Tensor:
    """Returns the features (B, C, ...) along the directions (M, C), or their windows (M, C, h, w), as (B, M, N)."""
    if directions.ndim == 2:  # not a convolution: those keep ten bits of mantissa by default on recent GPUs
        along: Tensor = directions @ features.flatten(2)
        return along
    return F.conv2d(features, directions).flatten(2)


def _along(directions: Tensor, samples: Tensor) -> Tensor:
    """Returns each image's samples (B, C, N) projected on its own direction (B, C), as (B, N)."""
    along: Tensor = torch.einsum("bc,bcn->bn", directions, samples)
    return along
