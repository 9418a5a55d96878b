"""Train image restoration with distribution losses on CNN features, and find out honestly what it gains.

The names below are imported when first used: ``import pdloss`` alone costs nothing, and ``pdloss --help`` no torch.
All names of `pdloss.losses` are public here too, and so are what trains, evaluates and restores.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from pdloss import degradations, metrics, models, networks
    from pdloss.errors import RangeWarning
    from pdloss.evaluation import evaluate
    from pdloss.losses import *
    from pdloss.ops import sliced_wasserstein, wasserstein_1d
    from pdloss.restoration import restore, restore_files
    from pdloss.training.configuration import TrainConfig
    from pdloss.training.loop import train

_ROOMS = ("degradations", "metrics", "models", "networks")
"""Modules that are public as they stand."""
_HOMES = {
    "RangeWarning": "pdloss.errors",
    "TrainConfig": "pdloss.training.configuration",
    "evaluate": "pdloss.evaluation",
    "restore": "pdloss.restoration",
    "restore_files": "pdloss.restoration",
    "sliced_wasserstein": "pdloss.ops",
    "train": "pdloss.training.loop",
    "wasserstein_1d": "pdloss.ops",
}
"""Where names that are no loss's come from."""


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*importlib.import_module("pdloss.losses").__all__, *_HOMES, *_ROOMS, "__version__"])
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    # `from pdloss import runs` asks here first, and shall not load every loss on its way to the file of that name.
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is None:
        home = importlib.import_module(_HOMES.get(name, "pdloss.losses"))
        if name in _HOMES or name in home.__all__:
            return getattr(home, name)
    raise AttributeError(f"module 'pdloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
