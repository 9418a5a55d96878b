"""The Fréchet distance between two sets of features, each taken for a Gaussian: the mathematics of FID, in float64."""

import torch
from jaxtyping import Float
from torch import Tensor


def gaussian_frechet_distance(
    mean_u: Float[Tensor, " d"],
    covariance_u: Float[Tensor, "d d"],
    mean_v: Float[Tensor, " d"],
    covariance_v: Float[Tensor, "d d"],
) -> Float[Tensor, ""]:
    r"""Returns the Fréchet distance between two Gaussians: their squared 2-Wasserstein distance, without the root.

    .. math:: \|\mu_u - \mu_v\|^2 + \mathrm{tr}\left(\Sigma_u + \Sigma_v - 2 (\Sigma_u \Sigma_v)^{1/2}\right)

    With factors :math:`\Sigma = A A^\top` from the symmetric eigenvalues, the trace of the root is the sum of the
    singular values of :math:`A_u^\top A_v`. That is exact for covariances without full rank, of fewer samples than
    dimensions, where the root of the product of matrices goes wrong.

    What is left of the difference of traces for equal Gaussians is rounding, of either sign: negative values, which no
    distance has, become 0.

    Args:
        mean_u: Mean :math:`\mu_u`, :math:`(D)`.
        covariance_u: Covariance :math:`\Sigma_u`, symmetric and without negative eigenvalues, :math:`(D, D)`.
        mean_v: Mean :math:`\mu_v`.
        covariance_v: Covariance :math:`\Sigma_v`.

    Returns:
        The distance in float64; at least 0.

    Example:
        >>> mean, covariance = torch.zeros(2), torch.eye(2)
        >>> round(gaussian_frechet_distance(mean, covariance, mean + 3, 4 * covariance).item(), 6)
        20.0

    References:
        | The Fréchet distance between multivariate normal distributions (Dowson and Landau, 1982)
        | GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium (Heusel et al., 2017), eq. 6
        | https://arxiv.org/abs/1706.08500
    """
    of_u, of_v = covariance_u.double(), covariance_v.double()
    apart = (mean_u.double() - mean_v.double()).square().sum()
    root = torch.linalg.svdvals(_factor(of_u).T @ _factor(of_v)).sum()
    distance: Tensor = apart + of_u.trace() + of_v.trace() - 2 * root
    return distance.clamp(min=0)


def frechet_distance(u: Float[Tensor, "n d"], v: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    r"""Returns the Fréchet distance between two sets of feature vectors, with covariances divided by :math:`N - 1`.

    See `gaussian_frechet_distance`. Sets of few vectors are further apart than what they are drawn from, many times so
    while there are fewer vectors than dimensions.

    Args:
        u: First features, one per row, :math:`(N, D)`.
        v: Second features, :math:`(M, D)`; their number may differ.

    Raises:
        ValueError: If a set has fewer than two vectors.

    Example:
        >>> u = torch.tensor([[0.0], [2.0]])
        >>> round(frechet_distance(u, 2 * u).item(), 6)
        3.0
    """
    of_u, of_v = Moments(u.shape[1]), Moments(v.shape[1])
    of_u.update(u)
    of_v.update(v)
    return gaussian_frechet_distance(of_u.mean, of_u.covariance(), of_v.mean, of_v.covariance())


class Moments:
    """Sums up the mean and the covariance of vectors as they come, in float64 and in memory that does not grow.

    Deviations are taken from the mean so far (Chan, Golub and LeVeque 1983): sums of squares would lose the digits in
    which features with a large mean differ.

    Args:
        dims: Length D of the vectors.

    Attributes:
        count: Vectors so far.
        mean: Their mean, :math:`(D)`.
    """

    def __init__(self, dims: int) -> None:
        self.count = 0
        self.mean = torch.zeros(dims, dtype=torch.float64)
        self._scatter = torch.zeros(dims, dims, dtype=torch.float64)

    def update(self, rows: Float[Tensor, "n d"]) -> None:
        """Adds vectors, :math:`(N, D)`."""
        rows = rows.detach().to("cpu", torch.float64)
        if len(rows) == 0:
            return
        mean = rows.mean(dim=0)
        share = len(rows) / (self.count + len(rows))
        step = mean - self.mean
        if len(rows) > 1:
            self._scatter.addmm_((rows - mean).T, rows - mean)
        self._scatter.addr_(step, step, alpha=self.count * share)
        self.mean += share * step
        self.count += len(rows)

    def covariance(self) -> Float[Tensor, "d d"]:
        """Returns the covariance, :math:`(D, D)`, divided by one less than the number of vectors.

        Raises:
            ValueError: If there are fewer than two.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least two vectors, got {self.count}")
        return self._scatter / (self.count - 1)


def _factor(covariance: Tensor) -> Tensor:
    """Returns A, (D, rank), of which A Aᵀ is the covariance.

    Eigenvalues that are zero come out as about 1e-16 of the largest one; their roots, 1e-8 each and hundreds of them,
    would be seen in the sum.
    """
    values, vectors = torch.linalg.eigh(covariance)
    least = len(values) * torch.finfo(values.dtype).eps * values[-1:].clamp(min=0)
    kept = values > least
    factor: Tensor = vectors[:, kept] * values[kept].sqrt()
    return factor
