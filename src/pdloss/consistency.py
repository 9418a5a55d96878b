"""Which measurement consistency score belongs to which degradation."""

from jaxtyping import Float
from torch import Tensor

from pdloss._types import Degradation
from pdloss.degradations import JPEG, BayerMosaic, CameraShake, Chain, Downscale, GaussianNoise, PoissonGaussianNoise
from pdloss.degradations.choice import plain
from pdloss.metrics.consistency import jpeg_cell_share, lr_psnr, noise_correlation, reblur_psnr, remosaic_error
from pdloss.ops.convolution import convolve


def consistency(degradation: Degradation, restored: Tensor, degraded: Tensor) -> dict[str, Float[Tensor, " b"]]:
    """Returns the consistency scores that can be taken of restored images, by name, one value per image.

    For one `downscale`, `blur`, `mosaic` (masked) or `jpeg`, or noise alone; noise may follow the first three. Of
    other chains, in which no one knows what came between, there is none.

    Args:
        degradation: What was applied to each of the images, drawn: without ranges, and with the seed of a blur.
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        degraded: What they were restored from.

    Raises:
        ValueError: If the degradation was not drawn, or the sizes do not fit it.

    Example:
        >>> import torch
        >>> from pdloss.degradations import degradation
        >>> image = torch.rand(1, 3, 16, 16)
        >>> consistency(degradation("downscale(factor=2)"), image, torch.rand(1, 3, 8, 8)).keys()
        dict_keys(['lr_psnr'])
    """
    kinds = degradation.kinds if isinstance(degradation, Chain) else (degradation,)
    first, rest = kinds[0], kinds[1:]
    if not all(isinstance(kind, GaussianNoise | PoissonGaussianNoise) for kind in rest):
        return {}
    if isinstance(first, GaussianNoise | PoissonGaussianNoise):
        return {"noise_correlation": noise_correlation(restored, degraded)}
    if isinstance(first, Downscale):
        return {"lr_psnr": lr_psnr(restored, degraded, first.kernel)}
    if isinstance(first, CameraShake):
        kernel = first.kernel_tensor()
        scores = {"reblur_psnr": reblur_psnr(restored, degraded, kernel)}
        return scores | ({"noise_correlation": noise_correlation(convolve(restored, kernel), degraded)} if rest else {})
    if isinstance(first, BayerMosaic) and first.layout == "masked":
        return {"remosaic_error": remosaic_error(restored, degraded, first.pattern)}
    if isinstance(first, JPEG) and not rest:
        share = jpeg_cell_share(restored, degraded, int(plain(first.quality)), first.subsampling)
        return {"jpeg_cell_share": share}
    return {}
