"""Losses as choices: they scale and add up, and the sum prints as the text that makes it again."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from msgspec import Meta
from torch import nn

from pdloss.features import FeatureNames
from pdloss.losses.weighted_sum import WeightedSum
from pdloss.specs import Choice, Own, sum_text
from pdloss.specs.trust import TYPED

__all__ = ["FeatureChoice", "LossChoice", "Objective"]


REGISTERED: list[type["LossChoice"]] = []
"""The library's losses with a name, in the order in which their files were read."""


@dataclass(frozen=True)
class LossChoice(Choice):
    """Base of the library's losses: ``L1() + 0.0003 * PDL()`` is an `Objective`.

    ``class Mine(LossChoice, name="mine", module=MineLoss)`` is all that registers a loss: its fields are the module's
    keywords, and whatever lists losses finds it.
    """

    module: ClassVar[Callable[..., nn.Module]]

    def __init_subclass__(cls, *, module: Callable[..., nn.Module] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if module is not None:
            cls.module = staticmethod(module)
            REGISTERED.append(cls)

    def build(self) -> nn.Module:
        """Returns the module, given every field as the keyword of that name."""
        return self.module(**self._options())

    def _options(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}

    def __mul__(self, weight: float) -> "Objective":
        return self._alone() * weight

    def __rmul__(self, weight: float) -> "Objective":
        return self._alone() * weight

    def __add__(self, other: "LossChoice | Objective") -> "Objective":
        return self._alone() + other

    def _alone(self) -> "Objective":
        return Objective(((1.0, self),))


@dataclass(frozen=True)
class FeatureChoice(LossChoice):
    """Base of the losses that compare feature maps; its module may share an extractor with other terms.

    Raises:
        SpecError: If an option is out of its range, or the features have no known name.
    """

    features: str = "vgg16.relu4_3"
    layer_weights: tuple[float, ...] | None = None
    offset: Annotated[int, Meta(ge=0)] = field(default=0, kw_only=True)
    later_options: ClassVar[tuple[str, ...]] = ("offset",)

    def __post_init__(self) -> None:
        super().__post_init__()
        FeatureNames.parse(self.features, TYPED)  # known, or a name of code that was looked at where it was read

    def build(self, extractor: nn.Module | None = None) -> nn.Module:
        """Returns the module, given every field as the keyword of that name.

        Args:
            extractor: Computes at least the layers named by `features`; by default one of its own is built.
        """
        return self.module(**self._options(), extractor=extractor)


@dataclass(frozen=True)
class Objective:
    """Weighted choices of losses: ``L1() + 0.002 * PDL()``, in text ``"l1 + 0.002*pdl"``.

    Args:
        terms: Pairs of weight and choice.

    Example:
        >>> from pdloss.losses import L1, PDL
        >>> str(L1() + 0.0003 * PDL(features="vgg19.relu4_3"))
        "l1 + 0.0003*pdl(features='vgg19.relu4_3')"
    """

    terms: tuple[tuple[float, Choice], ...]

    def __mul__(self, weight: float) -> "Objective":
        return Objective(tuple((weight * own, choice) for own, choice in self.terms))

    __rmul__ = __mul__

    def __add__(self, other: "LossChoice | Objective") -> "Objective":
        return Objective(self.terms + (other if isinstance(other, Objective) else 1.0 * other).terms)

    def in_full(self) -> str:
        """Returns the text with every option of every term, defaults too."""
        return sum_text((weight, choice.in_full()) for weight, choice in self.terms)

    def __str__(self) -> str:
        return sum_text((weight, str(choice)) for weight, choice in self.terms)

    def names(self) -> list[str]:
        """Returns a name for each term, each once."""
        names, seen = [], Counter[str]()
        for _, choice in self.terms:
            name = choice.path.partition(":")[2] if isinstance(choice, Own) else choice.name
            seen[name] += 1
            names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
        return names

    def build(self) -> "WeightedSum":
        """Returns the module ``(restored, target) → LossTerms``.

        Raises:
            AssetError: If a backbone's weights are not at hand.
        """
        wanted: dict[str, FeatureNames] = {}  # TYPED: what an option says was looked at where it was read
        for _, choice in self.terms:
            if isinstance(choice, FeatureChoice):
                names = FeatureNames.parse(choice.features, TYPED)
                before = wanted.get(names.backbone)
                wanted[names.backbone] = names if before is None else before.union(names)
        extractors = {backbone: names.build() for backbone, names in wanted.items()}
        built = [
            choice.build(extractors[FeatureNames.parse(choice.features, TYPED).backbone])
            if isinstance(choice, FeatureChoice)
            else choice.build()
            for _, choice in self.terms
        ]
        return WeightedSum(self.names(), [weight for weight, _ in self.terms], built)
