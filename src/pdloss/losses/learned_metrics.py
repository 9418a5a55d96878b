"""Learned metrics to train with: LPIPS and DISTS.

A metric that was trained with no longer judges the result: report another one beside it.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pdloss import metrics
from pdloss._types import Images
from pdloss.features import Frozen
from pdloss.losses.checks import check_side
from pdloss.losses.choice import LossChoice
from pdloss.losses.image_loss import ImageLoss
from pdloss.metrics.lpips import Net

__all__ = ["DISTS", "LPIPS", "DISTSLoss", "LPIPSLoss", "MetricLoss"]


class MetricLoss(ImageLoss):
    """Measures what a learned metric measures, in float32 even under autocast, averaged over the batch.

    Args:
        metric: `LPIPS` or `DISTS` of `pdloss.metrics`: one value per image, the lower the better.
    """

    def __init__(self, metric: Frozen) -> None:
        super().__init__()
        self.metric = metric

    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""
        check_side(restored, self.metric.minimum_side, type(self.metric).__name__, "train on larger crops")
        value: Tensor = self.metric(restored, target)
        return value


class LPIPSLoss(MetricLoss):
    """Measures LPIPS, averaged over the batch.

    Args:
        net: ``alex``, ``squeeze`` or ``vgg``, see `pdloss.metrics.LPIPS`.

    Raises:
        ValueError: If the net is unknown.
        AssetError: If a file of weights is not at hand.
    """

    def __init__(self, *, net: Net = "alex") -> None:
        super().__init__(metrics.LPIPS(net))


class DISTSLoss(MetricLoss):
    """Measures DISTS, averaged over the batch.

    Raises:
        AssetError: If a file of weights is not at hand.
    """

    def __init__(self) -> None:
        super().__init__(metrics.DISTS())


@dataclass(frozen=True)
class LPIPS(LossChoice, name="lpips", module=LPIPSLoss):
    """Learned distance of features at the same place (Zhang et al. 2018), with AlexNet, SqueezeNet or VGG16."""

    net: Net = "alex"


@dataclass(frozen=True)
class DISTS(LossChoice, name="dists", module=DISTSLoss):
    """Distance of structure and texture in VGG16's features (Ding et al. 2020)."""
