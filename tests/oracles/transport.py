"""Transport between samples on a line, the obvious and slow ways."""

from itertools import permutations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor


def cheapest_pairing(u: ArrayLike, v: ArrayLike, p: float) -> float:
    """The least mean of |u - v|^p over every way to pair two samples of the same, small size."""
    v = np.asarray(v)
    return min(float(np.mean(np.abs(np.array(order) - v) ** p)) for order in permutations(u))


def sorted_cost(u: Tensor, v: Tensor, p: float = 1.0) -> Tensor:
    """The mean of |u - v|^p over sorted samples, with `torch.sort` and its autograd; sizes may differ.

    Repeating each of N samples M times, and each of M samples N times, makes sizes equal and moves no mass.
    """
    n, m = u.shape[-1], v.shape[-1]
    if n != m:
        u, v = u.repeat_interleave(m, dim=-1), v.repeat_interleave(n, dim=-1)
    return (torch.sort(u, dim=-1, stable=True).values - torch.sort(v, dim=-1, stable=True).values).abs().pow(p).mean(-1)
