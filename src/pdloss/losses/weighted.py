"""A weighted sum of losses: what a training minimises, and what it says of every term."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pdloss._types import Loss, check_pair
from pdloss.features import FeatureNames
from pdloss.losses.choice import FeatureChoice, LossChoice
from pdloss.losses.features import FeatureLoss, pair_of_maps
from pdloss.specs import Choice, Own, sum_text


class LossTerms(NamedTuple):
    """The weighted sum and what it is made of."""

    total: Tensor
    """Sum of weight times value, a scalar with a graph."""
    values: dict[str, Tensor]
    """Each term's value before its weight, by name; a second ``pdl`` is called ``pdl_2``."""
    weights: dict[str, float]
    """Each term's weight."""


@dataclass(frozen=True)
class Objective:
    """Weighted choices of losses: ``L1() + 0.01 * PDL()``, in text ``"l1 + 0.01*pdl"``.

    Args:
        terms: Pairs of weight and choice.

    Example:
        >>> from pdloss.losses import L1, PDL
        >>> str(L1() + 0.01 * PDL(features="vgg19.relu4_3"))
        "l1 + 0.01*pdl(features='vgg19.relu4_3')"
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
        names: list[str] = []
        for _, choice in self.terms:
            name = choice.path.partition(":")[2] if isinstance(choice, Own) else choice.name
            taken = sum(known.partition("_")[0] == name or known == name for known in names)
            names.append(f"{name}_{taken + 1}" if taken else name)
        return names

    def build(self) -> "WeightedSum":
        """Returns the module ``(restored, target) → LossTerms``.

        Raises:
            AssetError: If a backbone's weights are not at hand.
        """
        wanted: dict[str, FeatureNames] = {}
        for _, choice in self.terms:
            if isinstance(choice, FeatureChoice):
                names = FeatureNames.parse(choice.features)
                before = wanted.get(names.backbone)
                wanted[names.backbone] = names if before is None else before.union(names)
        extractors = {backbone: names.build() for backbone, names in wanted.items()}
        built = [
            choice.build(extractors[FeatureNames.parse(choice.features).backbone])
            if isinstance(choice, FeatureChoice)
            else choice.build()
            for _, choice in self.terms
        ]
        return WeightedSum(self.names(), [weight for weight, _ in self.terms], built)


class WeightedSum(nn.Module):
    """Measures a weighted sum of losses, and each of them.

    Features of the restored and target images are computed once per backbone, however many terms use them.

    Args:
        names: One name per term.
        weights: One weight per term.
        terms: Modules or callables ``(restored, target) → scalar``.
    """

    def __init__(self, names: list[str], weights: list[float], terms: list[Loss]) -> None:
        super().__init__()
        self.names, self.weights, self.terms = names, weights, terms
        self.modules_of_terms = nn.ModuleList(term for term in terms if isinstance(term, nn.Module))

    @property
    def origin(self) -> dict[str, str]:
        """The pretrained files in use: name to hash and input convention."""
        below = self.modules_of_terms.modules()
        return {file: said for module in below for file, said in getattr(module, "origin", {}).items()}

    def forward(self, restored: Tensor, target: Tensor) -> LossTerms:
        """Returns the terms for two image batches (B, 3, H, W) in [0, 1]; gradients reach `restored` only.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape.
        """
        check_pair(restored, target)
        target = target.detach()
        extractors = {id(t.extractor): t.extractor for t in self.terms if isinstance(t, FeatureLoss)}
        maps = {key: pair_of_maps(extractor, restored, target) for key, extractor in extractors.items()}
        values = {
            name: term.compare(*maps[id(term.extractor)]) if isinstance(term, FeatureLoss) else term(restored, target)
            for name, term in zip(self.names, self.terms, strict=True)
        }
        weights = dict(zip(self.names, self.weights, strict=True))
        total = torch.stack([weights[name] * value for name, value in values.items()]).sum()
        return LossTerms(total, values, weights)
