"""The projected distribution loss: features compared as distributions, eq. (5)."""

from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss.losses.choice import FeatureChoice
from pdloss.losses.features import FeatureLoss
from pdloss.ops import wasserstein_1d


def projected_distribution_distance(
    restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"], p: float = 1.0
) -> Float[Tensor, " b"]:
    r"""Returns the mean over channels of the 1-D Wasserstein cost between their values, one value per image.

    .. math:: \frac{1}{M} \sum_{k=1}^{M} W_p^p\left(\hat F_k, F_k\right)

    where :math:`F_k` is the sample of all values that channel k takes over the image, eq. (5) with the identity
    projection. Positions are sorted away: shuffling the pixels changes nothing, shuffling the channels does. Samples
    are compared within one image, never across the batch.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets; height and width may differ.
        p: Order of the cost, at least 1; no root is taken.

    Example:
        >>> import torch
        >>> features = torch.rand(1, 4, 8, 8)
        >>> elsewhere = features.flatten(2)[:, :, torch.randperm(64)].view(1, 4, 8, 8)
        >>> projected_distribution_distance(features, elsewhere)
        tensor([0.])
        >>> projected_distribution_distance(features, elsewhere + 2)
        tensor([2.])

    References:
        | Projected Distribution Loss for Image Enhancement (Delbracio, Talebi and Milanfar, 2021)
        | https://arxiv.org/abs/2012.09289
    """
    return wasserstein_1d(restored.flatten(2), target.flatten(2), p).mean(-1)


class ProjectedDistributionLoss(FeatureLoss):
    """Measures how differently each feature's values are distributed, wherever in the image they lie.

    Args:
        features: Backbone and layers, such as ``"vgg16.relu4_3"`` (the paper's) or ``"distilled.relu4_3"`` (ships with
            the package); or any module that maps RGB images in [0, 1] to feature maps. See `FeatureLoss`.
        p: Order of the cost, at least 1.
        extractor: See `FeatureLoss`.

    Example:
        >>> import torch
        >>> loss = ProjectedDistributionLoss("distilled.relu4_3")
        >>> image = torch.rand(1, 3, 32, 32)
        >>> loss(image, image)
        tensor(0.)
    """

    def __init__(
        self, features: str | nn.Module = "vgg16.relu4_3", p: float = 1.0, extractor: nn.Module | None = None
    ) -> None:
        if not p >= 1:
            raise ValueError(f"p must be at least 1, got {p}")
        super().__init__(features, extractor)
        self.p = p

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        return projected_distribution_distance(restored, target, self.p)


@dataclass(frozen=True)
class PDL(FeatureChoice, name="pdl"):
    """The projected distribution loss, eq. (5), with each channel as its own projection."""

    p: Annotated[float, Meta(ge=1)] = 1.0

    def build(self, extractor: nn.Module | None = None) -> ProjectedDistributionLoss:
        """Returns the module."""
        return ProjectedDistributionLoss(self.features, self.p, extractor)
