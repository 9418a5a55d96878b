"""A weighted sum of losses: what a training minimises, and what it says of every term."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pdloss._types import Loss, check_pair
from pdloss.losses.features import FeatureLoss, pair_of_maps


class LossTerms(NamedTuple):
    """The weighted sum and what it is made of."""

    total: Tensor
    """Sum of weight times value, a scalar with a graph."""
    values: dict[str, Tensor]
    """Each term's value before its weight, by name; a second ``pdl`` is called ``pdl_2``."""
    weights: dict[str, float]
    """Each term's weight."""


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
