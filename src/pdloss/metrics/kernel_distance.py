"""The kernel distance between two sets of features: the mathematics of KID, with a standard error."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

SUBSETS, SUBSET_SIZE = 100, 1000
"""Of the published distance."""

_ROWS = 512
"""Rows of a kernel matrix held at a time; 20 MB each for 5000 vectors."""


class KernelEstimate(NamedTuple):
    """An estimate, and what it may be off by."""

    value: float
    error: float | None
    """Standard error; None for two images, which cannot show how they scatter."""


def cubic_kernel(u: Float[Tensor, "n d"], v: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    r"""Returns :math:`(\langle u_i, v_j \rangle / D + 1)^3` for all pairs of vectors, in their own precision.

    Example:
        >>> cubic_kernel(torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
        tensor([[1., 8.]])
    """
    similar: Tensor = (u @ v.T / u.shape[1] + 1) ** 3
    return similar


def kernel_distance(u: Float[Tensor, "n d"], v: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    r"""Returns the unbiased estimate of the squared kernel distance (MMD²) between two sets drawn independently: KID.

    .. math:: \frac{1}{N(N-1)} \sum_{i \neq j} k(u_i, u_j) + \frac{1}{M(M-1)} \sum_{i \neq j} k(v_i, v_j)
              - \frac{2}{NM} \sum_{i, j} k(u_i, v_j)

    with :math:`k` of `cubic_kernel`. It can be negative. KID is published as the mean of this over random subsets of
    1000, whose expectation is the same. Where :math:`v_i` is made from :math:`u_i`, the pairs :math:`i = j` are more
    alike than two vectors of different images, and the estimate comes out too low: see `paired_kernel_distance`.

    Args:
        u: First features, one per row, :math:`(N, D)`.
        v: Second features, :math:`(M, D)`.

    Returns:
        The estimate in float64.

    Raises:
        ValueError: If a set has fewer than two vectors.

    Example:
        >>> kernel_distance(torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]]))
        tensor(7., dtype=torch.float64)

    References:
        | Demystifying MMD GANs (Bińkowski et al., 2018), section 4
        | https://arxiv.org/abs/1801.01401
    """
    if min(len(u), len(v)) < 2:
        raise ValueError(f"a kernel distance needs at least two vectors in each set, got {len(u)} and {len(v)}")
    u, v = u.detach().double(), v.detach().double()
    among_u, among_v = (_sum(x, x, itself=False) / (len(x) * (len(x) - 1)) for x in (u, v))
    return among_u + among_v - 2 * _sum(u, v) / (len(u) * len(v))


def subset_kernel_distance(
    u: Float[Tensor, "n d"], v: Float[Tensor, "m d"], subsets: int = SUBSETS, size: int = SUBSET_SIZE, seed: int = 0
) -> Float[Tensor, ""]:
    """Returns KID as it is published: the mean of `kernel_distance` over random subsets of both sets.

    Each subset is drawn without replacement, from either set for itself. Sets of no more than `size` vectors are taken
    whole, and once.

    Args:
        u: First features, one per row, :math:`(N, D)`.
        v: Second features, :math:`(M, D)`.
        subsets: How many.
        size: Vectors in each; those of the smaller set where it has fewer.
        seed: Of the subsets.

    Returns:
        The estimate in float64.

    Raises:
        ValueError: If a set has fewer than two vectors.

    Example:
        >>> subset_kernel_distance(torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]]))
        tensor(7., dtype=torch.float64)

    References:
        | Demystifying MMD GANs (Bińkowski et al., 2018), section 4 and https://github.com/mbinkowski/MMD-GAN
    """
    size = min(size, len(u), len(v))
    if size == len(u) == len(v):
        return kernel_distance(u, v)
    stream = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        ours, theirs = (torch.randperm(len(x), generator=stream)[:size].to(x.device) for x in (u, v))
        values.append(kernel_distance(u[ours], v[theirs]))
    return torch.stack(values).mean()


def paired_kernel_distance(
    u: Float[Tensor, "n d"], v: Float[Tensor, "n d"], images: Int[Tensor, " n"] | None = None
) -> KernelEstimate:
    r"""Returns the unbiased estimate of MMD² for features that come in pairs, such as restored and target.

    .. math:: \frac{1}{|P|} \sum_{(i, j) \in P} k(u_i, u_j) + k(v_i, v_j) - k(u_i, v_j) - k(v_i, u_j)

    over the set :math:`P` of all ordered pairs of vectors from different images: those are independent, whatever ties
    a restored image to its target or one crop to the next. Equal sets give 0. It can be negative.

    The standard error is the jackknife's, which leaves out one image at a time, with all its crops. Between sets
    drawn from one distribution it is too large, up to :math:`\sqrt 2` times.

    Args:
        u: First features, one per row, :math:`(N, D)`.
        v: Second features, row by row the partners of the first.
        images: For each row the number of its image, :math:`(N)`; by default each row is an image.

    Raises:
        ValueError: If there are fewer than two images.

    Example:
        >>> u = torch.tensor([[0.0], [0.0], [0.0]])
        >>> paired_kernel_distance(u, u + 1)
        KernelEstimate(value=7.0, error=0.0)

    References:
        | A Kernel Two-Sample Test (Gretton et al., 2012), lemma 6
        | https://jmlr.org/papers/v13/gretton12a.html
        | The Jackknife Estimate of Variance (Efron and Stein, 1981)
    """
    images = torch.arange(len(u)) if images is None else images.cpu()
    _, images, sizes = torch.unique(images, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise ValueError(f"a kernel distance needs at least two images, got {len(sizes)}")
    u, v = u.detach().to("cpu", torch.float64), v.detach().to("cpu", torch.float64)
    sums = torch.zeros(len(sizes), dtype=torch.float64)  # by image, over its pairs with all others
    for rows in _runs(len(u)):
        apart = (
            cubic_kernel(u[rows], u) + cubic_kernel(v[rows], v) - cubic_kernel(u[rows], v) - cubic_kernel(v[rows], u)
        )
        sums.index_add_(0, images[rows], apart.masked_fill_(images[rows, None] == images, 0).sum(dim=1))
    pairs = sizes * (len(u) - sizes)
    value = (sums.sum() / pairs.sum()).item()
    if len(sizes) == 2:
        return KernelEstimate(value, None)
    without = (sums.sum() - 2 * sums) / (pairs.sum() - 2 * pairs)
    scatter = (without - without.mean()).square().sum().item()
    return KernelEstimate(value, math.sqrt(scatter * (len(sizes) - 1) / len(sizes)))


def _sum(u: Tensor, v: Tensor, itself: bool = True) -> Tensor:
    """Returns the sum of the kernel over all pairs; without those of a row and itself, unless told."""
    total = u.new_zeros(())
    for rows in _runs(len(u)):
        similar = cubic_kernel(u[rows], v)
        total += similar.sum() - (0 if itself else similar.diagonal(rows.start).sum())
    return total


def _runs(count: int) -> Iterator[slice]:
    """Yields the rows of a kernel matrix that are held at a time."""
    return (slice(start, start + _ROWS) for start in range(0, count, _ROWS))
