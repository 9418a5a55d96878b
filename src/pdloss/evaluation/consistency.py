"""Which measurement consistency score belongs to which degradation."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from pdloss._types import Degradation
from pdloss.degradations import JPEG, BayerMosaic, CameraShake, Chain, Downscale, GaussianNoise, PoissonGaussianNoise
from pdloss.degradations.choice import plain
from pdloss.metrics.consistency import jpeg_cell_share, lr_psnr, noise_correlation, reblur_psnr, remosaic_error
from pdloss.ops.convolution import convolve
from pdloss.records import Metric

Measure = Callable[[Tensor, Tensor], Float[Tensor, " b"]]
"""Maps `restored` and `degraded`, batches of images in [0, 1], to one value per image (B)."""

_ROUNDED = "restored and degraded image rounded to 8 bits"

METRICS: dict[str, Metric] = {
    "lr_psnr": Metric(
        label="LR-PSNR",
        unit="dB",
        better="higher",
        protocol=f"RGB of the restored image, made small again as its input was, against that input; {_ROUNDED}; equal "
        "images count 120 dB, and where the input has noise, a perfect restoration scores that noise",
    ),
    "reblur_psnr": Metric(
        label="Reblur-PSNR",
        unit="dB",
        better="higher",
        protocol=f"RGB of the restored image, blurred again as its input was, against that input; {_ROUNDED}; equal "
        "images count 120 dB, and where the input has noise, a perfect restoration scores that noise",
    ),
    "remosaic_error": Metric(
        label="Remosaic-RMSE",
        better="lower",
        protocol=f"root mean square difference, in [0, 1], at the sites that the sensor measured; {_ROUNDED}; where "
        "the input has noise, a perfect restoration scores that noise",
    ),
    "jpeg_cell_share": Metric(
        label="JPEG cells",
        better="higher",
        protocol="share of the restored image's cosine coefficients that the JPEG's rounding allows, blocks inside the "
        f"image; {_ROUNDED}",
    ),
    "noise_correlation": Metric(
        label="Noise corr.",
        better="lower",
        protocol="root mean square correlation of what was removed, with itself shifted by up to 3 pixels, mean over "
        f"RGB: 0 is white noise, and 1 counts where nothing was removed; {_ROUNDED}",
    ),
}
"""How each is to be read; none looks at the clean image, so that they say nothing alone."""

MINIMUM_SIDE = {"jpeg_cell_share": 16, "noise_correlation": 4}
"""The smallest height and width of those that need one."""


def measures(degradation: Degradation) -> dict[str, Measure]:
    """Returns the consistency scores that belong to a degradation, by name.

    For one `downscale`, `blur`, `mosaic` (masked) or `jpeg`, or noise alone; noise may follow the first three. Of
    other chains, in which no one knows what came between, there is none. The names are there before the degradation
    is drawn for an image, the values only then.

    Example:
        >>> from pdloss.degradations import degradation
        >>> list(measures(degradation("blur | noise")))
        ['reblur_psnr', 'noise_correlation']
    """
    kinds = degradation.kinds if isinstance(degradation, Chain) else (degradation,)
    first, rest = kinds[0], kinds[1:]
    if not all(isinstance(kind, GaussianNoise | PoissonGaussianNoise) for kind in rest):
        return {}
    if isinstance(first, GaussianNoise | PoissonGaussianNoise):
        return {"noise_correlation": noise_correlation}
    if isinstance(first, Downscale):
        return {"lr_psnr": lambda restored, degraded: lr_psnr(restored, degraded, first.kernel)}
    if isinstance(first, CameraShake):
        return _of_blur(first, noisy=bool(rest))
    if isinstance(first, BayerMosaic) and first.layout == "masked":
        return {"remosaic_error": lambda restored, degraded: remosaic_error(restored, degraded, first.pattern)}
    if isinstance(first, JPEG) and not rest and first.chance == 1:
        return {"jpeg_cell_share": lambda restored, degraded: _cell_share(first, restored, degraded)}
    return {}


def consistency(degradation: Degradation, restored: Tensor, degraded: Tensor) -> dict[str, Float[Tensor, " b"]]:
    """Returns the consistency scores that can be taken of restored images, by name, one value per image.

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
    return {name: measure(restored, degraded) for name, measure in measures(degradation).items()}


def _of_blur(blur: CameraShake, noisy: bool) -> dict[str, Measure]:
    scores: dict[str, Measure] = {
        "reblur_psnr": lambda restored, degraded: reblur_psnr(restored, degraded, blur.kernel_tensor())
    }
    if noisy:
        scores["noise_correlation"] = lambda restored, degraded: noise_correlation(
            convolve(restored, blur.kernel_tensor()), degraded
        )
    return scores


def _cell_share(jpeg: JPEG, restored: Tensor, degraded: Tensor) -> Tensor:
    if jpeg.subsampling == "either":
        raise ValueError(f"{jpeg} is not decided yet: call drawn(generator) first")
    return jpeg_cell_share(restored, degraded, int(plain(jpeg.quality)), jpeg.subsampling)
