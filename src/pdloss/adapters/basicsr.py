"""Every loss in the registry of BasicSR, traiNNer-redux or neosr, under ``pdloss_NAME``.

Their files of options then say ``type: pdloss_pdl``, with the same options as in text, and ``loss_weight``; or
``type: pdloss`` with ``loss: "l1 + 0.05*multilayer_pdl + 0.5*phase"``, a whole sum. All give one number, as
their pixel losses do (``pixel_opt``). Images are RGB in [0, 1], as theirs are.
"""

import importlib
import sys
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from pdloss.errors import SpecError, UserError
from pdloss.losses import LOSSES, WeightedSum, objective
from pdloss.losses.weighted_sum import Learner
from pdloss.specs import call_text

PROGRAMS = ("basicsr", "traiNNer", "neosr")
"""Packages whose ``utils.registry`` has a ``LOSS_REGISTRY``."""


@runtime_checkable
class Registry(Protocol):
    """What theirs have in common."""

    def register(self, obj: type, /) -> object:
        """Keeps a class under its name."""

    def __contains__(self, name: str, /) -> bool:
        """Whether the name is taken."""


class RegisteredLoss(nn.Module):
    """A loss as their trainers build and call it.

    An adversarial loss takes its critic's step first, on the same batch, in training mode.

    Args:
        loss_weight: Factor of the value.
        reduction: Only ``mean``, as theirs have by default.
        **options: Those of the loss.

    Raises:
        SpecError: If an option is unknown or has no such value.
    """

    family_name = ""

    def __init__(self, loss_weight: float = 1.0, reduction: str = "mean", **options: Any) -> None:
        super().__init__()
        if reduction != "mean":
            raise SpecError(f"{type(self).__name__} knows the reduction 'mean' alone, got {reduction!r}: leave it out")
        self.loss_weight = loss_weight
        self.loss = self.built(options)

    def built(self, options: dict[str, Any]) -> nn.Module:
        """Returns the module that the options describe."""
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        module: nn.Module = LOSSES.parse(call_text(self.family_name, values)).build()
        return module

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        """Returns the weighted value of two batches (B, 3, H, W) in [0, 1]."""
        learners = self.loss.learners.values() if isinstance(self.loss, WeightedSum) else [self.loss]
        for learner in learners:
            if isinstance(learner, Learner) and self.training and restored.requires_grad:
                learner.learn(restored.detach(), target, 1.0)
        value = self.loss(restored, target)
        total: Tensor = value.total if isinstance(self.loss, WeightedSum) else value
        return self.loss_weight * total


class RegisteredSum(RegisteredLoss):
    """A weighted sum of losses, written as one text."""

    def built(self, options: dict[str, Any]) -> nn.Module:
        """Returns the module of the sum in the option ``loss``.

        Raises:
            SpecError: If there is no such option, or another.
        """
        if set(options) != {"loss"}:
            given = ", ".join(options) or "neither"
            raise SpecError(f'type: pdloss takes loss: "l1 + 0.002*pdl", and loss_weight; got {given}')
        return objective(options["loss"]).build()


def register(registry: Registry | None = None) -> list[str]:
    """Puts every loss into a registry, once, and returns the names.

    Args:
        registry: Theirs; by default that of whichever program is imported, else installed.

    Raises:
        UserError: If none of the programs can be imported.
    """
    chosen = _theirs() if registry is None else registry
    kinds = {"pdloss": RegisteredSum, **{f"pdloss_{name}": RegisteredLoss for name in LOSSES.table}}
    for name, base in kinds.items():
        if name not in chosen:
            chosen.register(type(name, (base,), {"family_name": name.removeprefix("pdloss_")}))
    return list(kinds)


def _theirs() -> Registry:
    imported = [name for name in PROGRAMS if f"{name}.utils.registry" in sys.modules]
    problems = []
    for name in imported or PROGRAMS:
        try:
            found: Registry = importlib.import_module(f"{name}.utils.registry").LOSS_REGISTRY
        except (ImportError, AttributeError) as error:
            problems.append(f"{name}: {error}")
            continue
        return found
    raise UserError(f"no registry of losses was found ({'; '.join(problems)}); give it: register(LOSS_REGISTRY)")
