"""Train image restoration with distribution losses on CNN features, and find out honestly what it gains.

The names below are imported when first used: ``import pdloss`` alone costs nothing, and ``pdloss --help`` no torch.
All names of `pdloss.losses` are public here too.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from pdloss.errors import RangeWarning
    from pdloss.losses import *
    from pdloss.ops import sliced_wasserstein, wasserstein_1d

_HOMES = {
    "RangeWarning": "pdloss.errors",
    "sliced_wasserstein": "pdloss.ops",
    "wasserstein_1d": "pdloss.ops",
}
"""Where names that are no loss's come from."""


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*importlib.import_module("pdloss.losses").__all__, *_HOMES, "__version__"])
    # `from pdloss import runs` asks here first, and shall not load every loss on its way to the file of that name.
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is None:
        home = importlib.import_module(_HOMES.get(name, "pdloss.losses"))
        if name in _HOMES or name in home.__all__:
            return getattr(home, name)
    raise AttributeError(f"module 'pdloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
