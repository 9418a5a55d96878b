"""Train image restoration with distribution losses on CNN features, and find out honestly what it gains.

The names below are imported when first used: ``import pdloss`` alone costs nothing, and ``pdloss --help`` no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pdloss.errors import RangeWarning
    from pdloss.losses import (
        DISTS,
        FDL,
        L1,
        L2,
        LPIPS,
        MSSSIM,
        MSSSIML1,
        PDL,
        Adversarial,
        CoBi,
        CoBiCode,
        Contextual,
        FocalFrequency,
        LossTerms,
        Objective,
        Perceptual,
        PerceptualLoss,
        ProjectedDistributionLoss,
        WassersteinDistortion,
        contextual_loss,
        objective,
    )
    from pdloss.ops import sliced_wasserstein, wasserstein_1d

_LOSSES = (
    "Adversarial",
    "CoBi",
    "CoBiCode",
    "Contextual",
    "DISTS",
    "FDL",
    "FocalFrequency",
    "L1",
    "L2",
    "LPIPS",
    "LossTerms",
    "MSSSIM",
    "MSSSIML1",
    "Objective",
    "PDL",
    "Perceptual",
    "PerceptualLoss",
    "ProjectedDistributionLoss",
    "WassersteinDistortion",
    "contextual_loss",
    "objective",
)
_HOMES = {
    "RangeWarning": "pdloss.errors",
    **dict.fromkeys(_LOSSES, "pdloss.losses"),
    **dict.fromkeys(("sliced_wasserstein", "wasserstein_1d"), "pdloss.ops"),
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pdloss' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
