"""The perceptual loss: features compared place by place, eq. (6)."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from pdloss.losses.choice import FeatureChoice
from pdloss.losses.feature_loss import FeatureLoss
from pdloss.ops.differences import Power, mean_difference
from pdloss.ops.options import check_option

__all__ = ["Perceptual", "PerceptualLoss", "perceptual_loss"]


def perceptual_loss(
    restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"], *, p: Power = 1
) -> Float[Tensor, " b"]:
    r"""Returns the mean of :math:`|\phi(\hat x) - \phi(x)|^p` over channels and positions, eq. (6); no root is taken.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets, of the same shape.
        p: 1 for absolute, 2 for squared differences.

    Raises:
        ValueError: If `p` is neither.
    """
    return mean_difference(restored, target, p)


class PerceptualLoss(FeatureLoss):
    """Measures the mean difference of features at the same place (Johnson et al. 2016).

    Args:
        features: See `FeatureLoss`.
        p: 1 for absolute, 2 for squared differences.
        extractor: See `FeatureLoss`.
        layer_weights: See `FeatureLoss`.
        offset: See `FeatureLoss`.

    References:
        | Perceptual Losses for Real-Time Style Transfer and Super-Resolution (Johnson et al., 2016)
        | https://arxiv.org/abs/1603.08155
    """

    def __init__(
        self,
        features: str | nn.Module = "vgg16.relu4_3",
        *,
        p: Power = 1,
        extractor: nn.Module | None = None,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
    ) -> None:
        check_option(Power, p=p)
        super().__init__(features, extractor=extractor, layer_weights=layer_weights, offset=offset)
        self.p = p

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        return perceptual_loss(restored, target, p=self.p)


@dataclass(frozen=True)
class Perceptual(FeatureChoice, name="perceptual", module=PerceptualLoss):
    """Feature difference at the same place, eq. (6): the paper's rows "L1" (p=1) and "L2" (p=2)."""

    p: Power = 1
