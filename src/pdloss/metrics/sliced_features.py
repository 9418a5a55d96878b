"""The sliced Wasserstein distance between two sets of feature vectors: the library's loss as a metric of whole sets."""

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss.ops.projections import orthogonal
from pdloss.ops.sliced import sliced_wasserstein


def sliced_feature_distance(
    u: Float[Tensor, "n d"], v: Float[Tensor, "m d"], seed: int = 0, p: float = 1.0
) -> Float[Tensor, ""]:
    r"""Returns the mean Wasserstein cost between two sets of vectors along the D directions of a random basis.

    .. math:: \frac{1}{D} \sum_{k=1}^{D} W_p^p\left(\{\langle \theta_k, u_i \rangle\}_i,
              \{\langle \theta_k, v_j \rangle\}_j\right)

    eq. (4) on vectors of whole images instead of positions. No root is taken. The directions are orthonormal, the same
    in every call with the same seed. Samples on a line need no covariance, so that few vectors do less harm than to the
    Fréchet distance; two sets of one distribution still are about :math:`N^{-1/2}` of its spread apart.

    Args:
        u: First features, one per row, :math:`(N, D)`.
        v: Second features, :math:`(M, D)`; their number may differ.
        seed: Chooses the basis.
        p: Order of the cost, at least 1.

    Returns:
        The cost, in the unit of the features for order 1.

    Raises:
        ValueError: If a set is empty, or the order is below 1.

    Example:
        >>> u = torch.rand(50, 3)
        >>> round(sliced_feature_distance(u, u.flip(0)).item(), 5)
        0.0
    """
    directions = orthogonal(u.shape[1], u.shape[1], torch.Generator().manual_seed(seed))
    return sliced_wasserstein(u.T.unsqueeze(0), v.T.unsqueeze(0), directions, p).squeeze(0)
