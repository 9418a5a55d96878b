"""NIQE: how far the statistics of an image's blocks are from those of good photographs; no target is looked at.

Follows the release of the metric's authors, in double precision, with MATLAB's conversion to gray and its halving.
MATLAB's built-in function of the same name has another model and gives other values.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from pdloss import assets
from pdloss.errors import AssetError, ImageError
from pdloss.features.frozen import Frozen, read_weights
from pdloss.files import write_atomically
from pdloss.metrics.scene_statistics import BLOCK, FEATURES, MINIMUM_SIDE, Gray, block_features
from pdloss.ops.options import check_option


class Pristine(NamedTuple):
    """The normal distribution of the features of good photographs' blocks."""

    mean: Float[Tensor, "36"]
    covariance: Float[Tensor, "36 36"]


def niqe(images: Tensor, model: Pristine, gray: Gray = "gray", border: int = 0) -> Float[Tensor, " b"]:
    r"""Returns the natural image quality evaluator of each image: the less, the more natural; photographs score 2 to 6.

    .. math:: \sqrt{(\mu - \nu)^T \left(\tfrac{1}{2} (\Sigma + \Lambda)\right)^{+} (\mu - \nu)}

    with mean :math:`\mu` and covariance :math:`\Sigma` of `block_features` over the blocks of the image, and
    :math:`\nu`, :math:`\Lambda` those of `model`. Blocks of 96x96 pixels are laid out from the upper left corner; what
    is left over below and on the right is not looked at, so that leaving out a border moves the value by up to 2.

    The smaller an image, the less its covariance is worth: compare images of one size. An image of which fewer than two
    blocks have structure, such as a constant one, scores infinity. Where parts are flat, as saturated skies are, the
    published code measures its own rounding, which moves its values by tenths; here a flat window gives exactly zero.
    `flat_share` tells how much of an image is flat.

    Args:
        images: RGB in [0, 1], :math:`(B, 3, H, W)`; rounded to 8 bits first, on which the metric is defined.
        model: What to compare with.
        gray: Conversion to gray: the published code's, or the luma that ports of it take. They differ by hundredths.
        border: Pixels left out on every side.

    Returns:
        One value per image, :math:`(B)`, float64; has no gradient.

    Raises:
        ValueError: If the images are not RGB batches, have fewer than 192 pixels a side, or hold NaN or infinity.

    References:
        | Making a "Completely Blind" Image Quality Analyzer (Mittal, Soundararajan and Bovik, 2013), eq. 10
        | https://ieeexplore.ieee.org/document/6353522
    """
    features = block_features(images, gray, border).features
    whole = features.isfinite().all(dim=2)  # (B, n)
    count = whole.sum(dim=1)
    rows = torch.where(whole[..., None], features, 0)
    centre = rows.sum(dim=1, keepdim=True) / count.clamp(min=1)[:, None, None]
    rows = torch.where(whole[..., None], features - centre, 0)
    covariance = rows.mT @ rows / (count - 1).clamp(min=1)[:, None, None]
    # As published, the mean takes what is defined of every block, the covariance only blocks of which all is.
    off = features.nanmean(dim=1).nan_to_num() - model.mean.to(features)  # (B, 36)
    inverse = torch.linalg.pinv((covariance + model.covariance.to(features)) / 2, hermitian=True)
    squared = (off[:, None] @ inverse @ off[..., None])[:, 0, 0]
    return torch.where(count < 2, torch.inf, squared.clamp(min=0).sqrt())


def fit(images: Iterable[Tensor], threshold: float = 0.75) -> Pristine:
    """Returns the distribution of the features of one's own good photographs.

    Of each image, the blocks sharper than `threshold` times its sharpest one count.

    Args:
        images: Batches of RGB in [0, 1], each :math:`(B, 3, H, W)` of its own size.
        threshold: How sharp a block must be, in [0, 1).

    Returns:
        Mean and covariance, float64.

    Raises:
        ImageError: If the images give fewer than 37 such blocks: their covariance would be singular.
        ValueError: As `niqe`.
    """
    kept = [torch.empty(0, FEATURES, dtype=torch.float64)]
    for batch in images:
        features, sharpness = block_features(batch)
        sharp = sharpness > threshold * sharpness.amax(dim=1, keepdim=True)
        kept.append(features[sharp & features.isfinite().all(dim=2)].cpu())
    rows = torch.cat(kept)
    if len(rows) <= FEATURES:
        raise ImageError(
            f"the images give {len(rows)} sharp blocks of {BLOCK}x{BLOCK} pixels, but a model of {FEATURES} features "
            f"needs at least {FEATURES + 1}; add photographs"
        )
    return Pristine(rows.mean(dim=0), rows.T.cov())


def write_model(path: Path, model: Pristine, source: str) -> None:
    """Writes a model that `NIQE` can be given, whole or not at all.

    Args:
        path: Where to; safetensors.
        model: What `fit` returned.
        source: What it was fitted to, in words.
    """
    tensors = {"mu": model.mean.contiguous(), "cov": model.covariance.contiguous()}
    described = {"source": source, "input_convention": assets.CONVENTIONS["niqe"], "layout": "mu (36,), cov (36, 36)"}
    write_atomically(path, lambda temporary: save_file(tensors, temporary, described))


class NIQE(Frozen):
    """Measures how unnatural each image is, by `niqe`; the target is not looked at.

    Args:
        model: A safetensors file with ``mu`` and ``cov``, such as ``pdloss niqe fit`` writes; by default ``niqe``, the
            model of the metric's authors. Values by one say nothing beside those by another.
        gray: See `niqe`.
        border: See `niqe`.

    Raises:
        ValueError: If `gray` is unknown.
        AssetError: If the file is not at hand, or holds no model.
    """

    minimum_side = MINIMUM_SIDE

    def __init__(self, model: Path | None = None, gray: Gray = "gray", border: int = 0) -> None:
        super().__init__()
        check_option(Gray, gray=gray)
        path = model or assets.path("niqe")
        self.gray: Gray = gray
        self.border = border
        self.origin = self.describe(path)
        tensors = read_weights(path)
        for key, shape in (("mu", (FEATURES,)), ("cov", (FEATURES, FEATURES))):
            found = tensors.get(key)
            if found is None or found.shape != shape or not bool(found.isfinite().all()):
                got = "missing" if found is None else f"of shape {tuple(found.shape)}, or not finite"
                raise AssetError(f"{path} holds no NIQE model: {key} should be {shape}, but is {got}")
            self.freeze(key, found.double())

    def forward(self, restored: Tensor, target: Tensor | None = None) -> Float[Tensor, " b"]:
        """Returns one value per image of a (B, 3, H, W) batch.

        Raises:
            ValueError: As `niqe`.
        """
        return niqe(restored, Pristine(self.frozen("mu"), self.frozen("cov")), self.gray, self.border)
