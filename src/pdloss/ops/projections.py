r"""Directions to project features on, eq. (4) and section 5.8 of the paper: M unit vectors, one number per channel.

All are drawn on the CPU from an explicit generator, so that one seed gives the same directions on every device.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss.ops.options import check_option

Drawn = Literal["pairs", "perturbed", "sphere", "orthogonal"]
"""The schemes that draw directions at random."""


def pairs(channels: int, count: int, generator: torch.Generator) -> Float[Tensor, "m c"]:
    r"""Returns random combinations of two randomly picked channels each (R2P).

    .. math:: \theta = \frac{a e_i + b e_j}{\sqrt{a^2 + b^2}}, \quad i \neq j, \quad a, b \sim N(0, 1)

    Args:
        channels: Number of channels C, at least 2.
        count: Number of directions M.
        generator: Where the randomness comes from.

    Raises:
        ValueError: If there are not two channels to combine.

    Example:
        >>> (pairs(5, 4, torch.Generator().manual_seed(0)) != 0).sum(1)
        tensor([2, 2, 2, 2])
    """
    if channels < 2:
        raise ValueError(f"pairs combines two different channels, but the features have {channels}; use 'identity'")
    first = torch.randint(channels, (count,), generator=generator)
    # A step of 1 to C - 1 channels never comes back to the first.
    second = (first + torch.randint(1, channels, (count,), generator=generator)) % channels
    places = torch.stack([first, second], dim=1)
    return torch.zeros(count, channels).scatter_(1, places, _unit(torch.randn(count, 2, generator=generator)))


def perturbed(channels: int, count: int, generator: torch.Generator, epsilon: float = 0.1) -> Float[Tensor, "m c"]:
    r"""Returns the channels' own axes, each slightly turned (RPP); after the last axis comes the first again.

    .. math:: \theta_k = \frac{e_k + \varepsilon g_k / \sqrt{C}}{\|\cdot\|}, \quad g_k \sim N(0, I_C)

    The length of :math:`g_k / \sqrt{C}` is about 1, so that `epsilon` is the tangent of the angle between
    :math:`\theta_k` and its axis, however many channels there are.

    Args:
        channels: Number of channels C.
        count: Number of directions M.
        generator: Where the randomness comes from.
        epsilon: Size of the perturbation; 0 gives the axes themselves.
    """
    axes = torch.eye(channels)[torch.arange(count) % channels]
    return _unit(axes + epsilon / channels**0.5 * torch.randn(count, channels, generator=generator))


def sphere(channels: int, count: int, generator: torch.Generator) -> Float[Tensor, "m c"]:
    """Returns directions drawn uniformly from the sphere (RSP): the sliced Wasserstein distance's, eq. (4).

    Args:
        channels: Number of channels C.
        count: Number of directions M.
        generator: Where the randomness comes from.
    """
    return _unit(torch.randn(count, channels, generator=generator))


def orthogonal(channels: int, count: int, generator: torch.Generator) -> Float[Tensor, "m c"]:
    """Returns random orthonormal bases, one after the other, the last cut off at `count` directions.

    Each direction by itself is uniform on the sphere, but those of one basis cannot crowd: the mean over them scatters
    less than over independent ones (Rowland et al. 2019).

    Args:
        channels: Number of channels C.
        count: Number of directions M.
        generator: Where the randomness comes from.

    References:
        | Orthogonal Estimation of Wasserstein Distances (Rowland et al., 2019)
        | https://arxiv.org/abs/1903.03784
    """
    bases = -(-count // channels)
    # In float64, so that the same numbers come out whatever LAPACK rounds; the signs make Q uniform (Mezzadri 2007).
    q, r = torch.linalg.qr(torch.randn(bases, channels, channels, dtype=torch.float64, generator=generator))
    uniform: Tensor = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
    return uniform.transpose(1, 2).reshape(-1, channels)[:count].float()


def directions(
    scheme: Drawn, channels: int, ratio: float, generator: torch.Generator, epsilon: float = 0.1
) -> Float[Tensor, "m c"]:
    """Returns `ratio` directions per channel, drawn by the scheme of that name.

    Args:
        scheme: ``pairs``, ``perturbed``, ``sphere`` or ``orthogonal``.
        channels: Number of channels C.
        ratio: Directions per channel; the number of directions is rounded.
        generator: Where the randomness comes from.
        epsilon: Of `perturbed`.

    Raises:
        ValueError: If the scheme is unknown, the ratio draws no direction, or there are too few channels.
    """
    check_option(Drawn, scheme=scheme)
    count = round(ratio * channels)
    if count < 1:
        raise ValueError(
            f"a ratio of {ratio:g} draws no direction for {channels} channels; use at least {1 / channels:.3g}"
        )
    if scheme == "perturbed":
        return perturbed(channels, count, generator, epsilon)
    return {"pairs": pairs, "sphere": sphere, "orthogonal": orthogonal}[scheme](channels, count, generator)


def _unit(vectors: Tensor) -> Tensor:
    return F.normalize(vectors, dim=1)
