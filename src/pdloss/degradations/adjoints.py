"""The transposes of the linear degradations, which iterative restoration steps back with."""

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import Degradation
from pdloss.degradations.blur import CameraShake
from pdloss.degradations.chain import Chain
from pdloss.degradations.downscale import Downscale
from pdloss.degradations.gaussian_blur import GaussianBlur
from pdloss.degradations.mosaic import BayerMosaic
from pdloss.degradations.noise import GaussianNoise, PoissonGaussianNoise
from pdloss.errors import SpecError
from pdloss.ops.resize import resize_adjoint


def adjoint(
    degradation: Degradation, degraded: Float[Tensor, "c h2 w2"], like: Float[Tensor, "c2 h w"]
) -> Float[Tensor, "c2 h w"]:
    r"""Returns an image put through :math:`A^T`, the transpose of a linear degradation :math:`A`.

    .. math:: \langle A x, y \rangle = \langle x, A^T y \rangle

    Linear are `downscale`, a `blur` or `gaussian_blur` that was drawn, `mosaic`, and chains of them. Noise, clipping to
    [0, 1] and rounding to 8 bits are no part of :math:`A`.

    Args:
        degradation: What :math:`A` does.
        degraded: An image as the degradation gives it.
        like: An image as the degradation takes it; only its size matters.

    Raises:
        SpecError: If the degradation, or a link of the chain, is not linear.
        ValueError: If a blur's kernel has not been drawn, or the sizes do not fit.

    Example:
        >>> from pdloss.degradations import Downscale
        >>> adjoint(Downscale(factor=2, kernel="area"), torch.ones(1, 1, 1), torch.zeros(1, 2, 2))
        tensor([[[0.2500, 0.2500],
                 [0.2500, 0.2500]]])
    """
    if isinstance(degradation, Downscale):
        return resize_adjoint(degraded, (like.shape[-2], like.shape[-1]), kernel=degradation.kernel)
    if isinstance(degradation, CameraShake | GaussianBlur | BayerMosaic):
        return degradation.adjoint(degraded, like)
    if isinstance(degradation, GaussianNoise | PoissonGaussianNoise):
        return degraded
    if isinstance(degradation, Chain):
        *before, last = degradation.kinds
        if not before:
            return adjoint(last, degraded, like)
        first = Chain(degradation.links[:-1], tuple(before))
        # Of all links but a packed mosaic, which is the last, the result has the channels of the image.
        between = torch.empty(like.shape[0], like.shape[-2] // first.factor, like.shape[-1] // first.factor)
        return adjoint(first, adjoint(last, degraded, between), like)
    raise SpecError(f"{degradation} is not linear and has no transpose; downscale, blur and mosaic have one")
