"""Losses as choices: they scale and add up, and the sum prints as the text that makes it again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from pdloss.specs import Choice

if TYPE_CHECKING:
    from pdloss.losses.weighted import Objective


@dataclass(frozen=True)
class LossChoice(Choice):
    """Base of the library's losses: ``L1() + 0.01 * PDL()`` is an `Objective`."""

    def __mul__(self, weight: float) -> "Objective":
        return self._alone() * weight

    def __rmul__(self, weight: float) -> "Objective":
        return self._alone() * weight

    def __add__(self, other: "LossChoice | Objective") -> "Objective":
        return self._alone() + other

    def _alone(self) -> "Objective":
        from pdloss.losses.weighted import Objective

        return Objective(((1.0, self),))


@dataclass(frozen=True)
class FeatureChoice(LossChoice):
    """Base of the losses that compare feature maps; its module may share an extractor with other terms."""

    features: str = "vgg16.relu4_3"

    def build(self, extractor: nn.Module | None = None) -> nn.Module:
        """Returns the module.

        Args:
            extractor: Computes at least the layers named by `features`; by default one of its own is built.
        """
        raise NotImplementedError
