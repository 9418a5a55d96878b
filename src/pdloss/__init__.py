"""Train image restoration with distribution losses on CNN features, and find out honestly what it gains.

The names below are imported when first used: ``import pdloss`` alone costs nothing, and ``pdloss --help`` no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pdloss.losses import (
        L1,
        L2,
        PDL,
        LossTerms,
        Objective,
        Perceptual,
        PerceptualLoss,
        ProjectedDistributionLoss,
        objective,
    )
    from pdloss.ops import wasserstein_1d

_HOMES = {
    "L1": "pdloss.losses",
    "L2": "pdloss.losses",
    "PDL": "pdloss.losses",
    "LossTerms": "pdloss.losses",
    "Objective": "pdloss.losses",
    "Perceptual": "pdloss.losses",
    "PerceptualLoss": "pdloss.losses",
    "ProjectedDistributionLoss": "pdloss.losses",
    "objective": "pdloss.losses",
    "wasserstein_1d": "pdloss.ops",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pdloss' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
