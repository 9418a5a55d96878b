"""A weighted sum of losses: what a training minimises, and what it says of every term."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from pdloss._types import Loss
from pdloss.losses.checks import CheckedPair
from pdloss.losses.feature_loss import FeatureLoss, shared_maps

__all__ = ["LossTerms", "WeightedSum"]


class LossTerms(NamedTuple):
    """The weighted sum and what it is made of."""

    total: Tensor
    """Sum of weight times value, a scalar with a graph."""
    values: dict[str, Tensor]
    """Each term's value before its weight, by name; a second ``pdl`` is called ``pdl_2``."""
    weights: dict[str, float]
    """Each term's weight."""


@runtime_checkable
class Learner(Protocol):
    """A loss that is itself in training, as an adversarial one."""

    optimiser: torch.optim.Optimizer
    """What takes the steps; its state is saved with a run."""

    def learn(self, restored: Tensor, target: Tensor, rate_share: float) -> Tensor:
        """Takes one step on a batch without a graph; returns a scalar that says how it goes."""


class WeightedSum(nn.Module):
    """Measures a weighted sum of losses, and each of them.

    Features of the restored and target images are computed once per backbone and bound of offsets, however many terms
    use them; their first term draws the offset for all.

    Args:
        names: One name per term.
        weights: One weight per term.
        terms: Modules or callables ``(restored, target) → scalar``.
    """

    def __init__(self, names: list[str], weights: list[float], terms: list[Loss]) -> None:
        super().__init__()
        self.check = CheckedPair()
        self.names, self.weights, self.terms = names, weights, terms
        for term in terms:  # one look is enough for all
            if isinstance(getattr(term, "check", None), CheckedPair):
                term.check = self.check  # type: ignore[attr-defined]
        self.modules_of_terms = nn.ModuleList(term for term in terms if isinstance(term, nn.Module))

    @property
    def origin(self) -> dict[str, str]:
        """The pretrained files in use: name to hash and input convention."""
        below = self.modules_of_terms.modules()
        return {file: said for module in below for file, said in getattr(module, "origin", {}).items()}

    @property
    def learners(self) -> dict[str, Learner]:
        """The terms that are themselves in training, by name."""
        return {name: term for name, term in zip(self.names, self.terms, strict=True) if isinstance(term, Learner)}

    def learn(self, restored: Tensor, target: Tensor, rate_share: float) -> dict[str, Tensor]:
        """Lets each learner take a step, and returns what each says of it.

        Args:
            restored: Restored images (B, 3, H, W).
            target: Their targets.
            rate_share: Share of the full learning rate, as the schedule has it.
        """
        return {name: term.learn(restored.detach(), target, rate_share) for name, term in self.learners.items()}

    def forward(self, restored: Tensor, target: Tensor) -> LossTerms:
        """Returns the terms for two image batches (B, 3, H, W) in [0, 1]; gradients reach `restored` only.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape.
        """
        self.check(restored, target)
        target = target.detach()
        sharing: dict[tuple[int, int], list[FeatureLoss]] = {}
        for term in self.terms:
            if isinstance(term, FeatureLoss):
                sharing.setdefault(_features_of(term), []).append(term)
        maps = {key: shared_maps(terms, restored, target) for key, terms in sharing.items()}
        values = {
            name: term.compare(*maps[_features_of(term)]) if isinstance(term, FeatureLoss) else term(restored, target)
            for name, term in zip(self.names, self.terms, strict=True)
        }
        weights = dict(zip(self.names, self.weights, strict=True))
        total = torch.stack([weights[name] * value for name, value in values.items()]).sum()
        return LossTerms(total, values, weights)


def _features_of(term: FeatureLoss) -> tuple[int, int]:
    return id(term.extractor), term.offsets.bound
