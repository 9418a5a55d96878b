"""DISTS: how differently features are distributed and aligned, as means and covariances of each channel."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss import assets
from pdloss._types import check_pair
from pdloss.features.frozen import Frozen
from pdloss.features.recent import Recent
from pdloss.metrics.channel_weights import channel_weights
from pdloss.metrics.vgg16 import TorchvisionVGG16
from pdloss.ops.dtypes import at_least_float32

# Channels of the image itself, which counts as a layer, and of the five layers of VGG16.
_CHANNELS = {"image": 3, "relu1_2": 64, "relu2_2": 128, "relu3_3": 256, "relu4_3": 512, "relu5_3": 512}


def dists(
    restored: Sequence[Float[Tensor, "b _ _ _"]],
    target: Sequence[Float[Tensor, "b _ _ _"]],
    alpha: Sequence[Float[Tensor, " _"]],
    beta: Sequence[Float[Tensor, " _"]],
    c1: float = 1e-6,
    c2: float = 1e-6,
) -> Float[Tensor, " b"]:
    r"""Returns the structure and texture distance of each image, given its feature maps.

    .. math:: 1 - \frac{1}{\sum_{lc} \alpha_{lc} + \beta_{lc}} \sum_{lc}
              \alpha_{lc} \frac{2 \mu_f \mu_g + c_1}{\mu_f^2 + \mu_g^2 + c_1}
              + \beta_{lc} \frac{2 \sigma_{fg} + c_2}{\sigma_f^2 + \sigma_g^2 + c_2}

    with the means :math:`\mu` (texture), variances and covariance :math:`\sigma` (structure) of channel c of layer l
    over all positions; they are divided by the number of positions, not by one less.

    Both fractions are computed as what is missing to one, :math:`(\mu_f - \mu_g)^2` and :math:`\sigma_{f-g}^2` over
    the same denominators: equal images then give exactly 0 with a zero gradient, and a flat channel, whose variance
    float32 knows to a few :math:`c_2` only, no noise.

    Args:
        restored: Feature maps :math:`f_l`, :math:`(B, C_l, H_l, W_l)` for each layer.
        target: Feature maps :math:`g_l`, of the same shapes.
        alpha: Channel weights of the means, :math:`(C_l)` for each layer; not negative.
        beta: Channel weights of the covariances, alike.
        c1: Steadies the first fraction.
        c2: Steadies the second.

    Returns:
        One value per image, :math:`(B)`; 0 for equal features.

    Raises:
        ValueError: If the numbers of layers differ, or there is none.

    Example:
        >>> chessboard = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).view(1, 1, 2, 2)
        >>> dists([chessboard], [1 - chessboard], alpha=[torch.tensor([0.75])], beta=[torch.tensor([0.25])])
        tensor([0.5000])

    References:
        | Image Quality Assessment: Unifying Structure and Texture Similarity (Ding et al., 2020)
        | https://arxiv.org/abs/2004.07728
    """
    if not len(restored) == len(target) == len(alpha) == len(beta) > 0:
        counts = ", ".join(map(str, map(len, (restored, target, alpha, beta))))
        raise ValueError(f"restored, target, alpha and beta need the same layers, got {counts}")
    whole = torch.stack([weights.sum() for weights in (*alpha, *beta)]).sum()
    distances = []
    for f, g, of_mean, of_covariance in zip(restored, target, alpha, beta, strict=True):
        texture, structure = _missing_similarity(at_least_float32(f), at_least_float32(g), c1, c2)  # (B, C) each
        distances.append((of_mean / whole * texture + of_covariance / whole * structure).sum(dim=1))
    return torch.stack(distances).sum(dim=0)


def l2_pool(x: Float[Tensor, "b c h w"], eps: float = 1e-12) -> Float[Tensor, "b c h2 w2"]:
    r"""Returns the root of the weighted mean square of every 3x3 window at every second place.

    The weights are the Hann window (1, 2, 1)/4 along rows and columns; beyond the border lie zeros. Unlike a maximum it
    leaves no high frequencies behind that the coarser grid cannot hold.

    Args:
        x: Maps, :math:`(B, C, H, W)`.
        eps: Inside the root, for a finite gradient at zero.

    Returns:
        The maps, :math:`(B, C, ⌈H/2⌉, ⌈W/2⌉)`.

    Example:
        >>> l2_pool(torch.full((1, 1, 4, 4), 3.0))[..., 1, 1]
        tensor([[3.]])
    """
    hann = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype, device=x.device)
    kernel = (hann.view(3, 1) * hann).expand(x.shape[1], 1, 3, 3)
    return (F.conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1]) + eps).sqrt()


class DISTS(Frozen):
    """Measures the structure and texture distance of each image: means and covariances of VGG16's maps.

    The image itself counts as a layer, as it is; VGG16 sees it after ImageNet's mean and standard deviation and pools
    with `l2_pool`. Images are compared at their own size; the published script first shrinks those whose shorter side
    exceeds 256 pixels to 256, which gives other values. Computes in float32 even under autocast. The weights are
    buffers, on no optimiser's list and in no state dict.

    Args:
        backbone: A safetensors file with VGG16's weights; by default ``vgg16-torchvision``.
        weights: A safetensors file with ``alpha`` and ``beta``; by default ``dists``.

    Raises:
        AssetError: If a file is not at hand, lacks a key, or holds weights of the wrong number or below zero.

    References:
        | https://github.com/dingkeyan93/DISTS
    """

    def __init__(self, backbone: Path | None = None, weights: Path | None = None) -> None:
        super().__init__()
        self.layers = tuple(_CHANNELS)[1:]
        self.backbone = TorchvisionVGG16(self.layers, backbone, l2_pool)
        self.minimum_side = self.backbone.minimum_side
        self._targets: Recent[dict[str, Tensor]] = Recent(keep=1)
        path = weights or assets.path("dists")
        self.origin = self.backbone.origin | self.describe(path)
        sizes = dict.fromkeys(("alpha", "beta"), sum(_CHANNELS.values()))
        for name, values in channel_weights(path, sizes, "DISTS weights").items():
            self.freeze(name, values)

    def forward(self, restored: Tensor, target: Tensor) -> Float[Tensor, " b"]:
        """Returns one value per image for two (B, 3, H, W) batches; 0 for equal images.

        Raises:
            ValueError: If the shapes differ or are not RGB batches, or a side is below 16 pixels.
        """
        check_pair(restored, target)
        restored, target = (images.float() for images in (restored, target))
        restored_maps = [restored, *self.backbone(restored).values()]
        target_maps = [target, *self._targets(target, self.backbone).values()]
        alpha, beta = (torch.split(self.frozen(name).float(), list(_CHANNELS.values())) for name in ("alpha", "beta"))
        return dists(restored_maps, target_maps, alpha, beta)


def _missing_similarity(f: Tensor, g: Tensor, c1: float, c2: float) -> tuple[Tensor, Tensor]:
    """Returns what the similarities of means and of structure lack to one, (B, C) each; the latter is at most 2."""
    f, g = f.flatten(2), g.flatten(2)  # (B, C, H W)
    mean_f, mean_g = f.mean(dim=2), g.mean(dim=2)
    f, g = f - mean_f.unsqueeze(2), g - mean_g.unsqueeze(2)
    texture = (mean_f - mean_g).square() / (mean_f.square() + mean_g.square() + c1)
    spread = f.square().mean(dim=2) + g.square().mean(dim=2)
    return texture, (f - g).square().mean(dim=2) / (spread + c2)
