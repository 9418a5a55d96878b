"""Every loss that is registered, as text: one for each value of its enumerated options, at sizes that tests can pay."""

import dataclasses
from typing import Literal, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn

from pdloss.losses import LOSSES, FeatureChoice, LossChoice, objective
from pdloss.losses.weighted_sum import Learner
from pdloss.specs import call_text

FEATURES = "distilled.relu3_3"

SMALLER: dict[str, dict[str, object]] = {
    "pdl": {"ratio": 0.1, "redraw": False},
    "fdl": {"count": 16},
    "ms_ssim": {"scales": 2},
    "ms_ssim_l1": {"scales": 2},
    "adversarial": {"critic": "unet(width=2)"},
}
"""For images of 48 pixels a side, and for a bit less to compute; a loss that is not here is taken as it is."""

MORE = [
    "pdl(features='distilled.relu3_3', p=2)",
    "adversarial(critic='srgan(size=48, width=2)', objective='relativistic')",
]
"""What no enumerated option says."""


def texts(family: dict[str, type[LossChoice]]) -> list[str]:
    """Every loss, and every value of its enumerated options, on features that ship."""
    found: dict[str, None] = {}
    for name, kind in family.items():
        options = SMALLER.get(name, {})
        if issubclass(kind, FeatureChoice) and kind.features.startswith("vgg"):
            options = {"features": FEATURES} | options
        found[call_text(name, options)] = None
        if kind.__base__ in family.values():
            continue  # the same with other defaults
        hints = get_type_hints(kind)
        for field in dataclasses.fields(kind):
            others = get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else ()
            found |= {call_text(name, options | {field.name: v}): None for v in others if v != field.default}
    return [*found, *MORE]


EVERY = texts(LOSSES.table)  # type: ignore[arg-type]


def named(*names: str) -> list[str]:
    """The texts of some losses."""
    return [text for text in EVERY if text.partition("(")[0] in names]


CRITICS = named("adversarial")
"""Depend on what the critic has learned, and on the batch."""

SIMILARITIES = named("contextual", "cobi_code")
"""Near zero where the two images are equal, and never negative."""

DISTANCES = [text for text in EVERY if text not in {*CRITICS, *SIMILARITIES}]
"""Zero there; what a new loss is held to unless it says otherwise."""

OF_BATCHES = [text for text in EVERY if text in CRITICS or "center='batch'" in text]
"""No mean of the values of single images."""


def built(text: str) -> nn.Module:
    """The one term of an objective."""
    torch.manual_seed(0)
    return objective(text).build().terms[0]


def is_learner(text: str) -> bool:
    return isinstance(built(text), Learner)


def pair(generator: torch.Generator, count: int = 2) -> tuple[Tensor, Tensor]:
    """Smooth images and noisy ones."""
    coarse = torch.rand(count, 3, 9, 9, generator=generator)
    target = nn.functional.interpolate(coarse, (48, 48), mode="bicubic").clamp(0, 1)
    return (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def value_and_gradient(loss: nn.Module, restored: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    restored = restored.clone().requires_grad_()
    value = loss(restored, target)
    assert value.shape == ()
    (gradient,) = torch.autograd.grad(value, restored)
    return value, gradient
