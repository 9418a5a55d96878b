"""Losses for `torch.hub`: ``torch.hub.load("OWNER/pdloss", "pdl", features="distilled.relu4_3")``.

Every loss is there under its name in text, with the same options, and ``objective`` builds a whole sum. The package's
own requirements must be installed.
"""

import sys
from pathlib import Path

dependencies = ["torch", "numpy", "safetensors", "msgspec", "jaxtyping"]

sys.path.insert(0, str(Path(__file__).parent / "src"))  # the code that came with this file

from pdloss.losses import LOSSES  # noqa: E402
from pdloss.losses import objective as _objective  # noqa: E402


def objective(text):
    """Returns the module ``(restored, target) → LossTerms`` of a sum such as ``"l1 + 0.002*pdl"``."""
    return _objective(text).build()


def _entry(name, kind):
    def entry(**options):
        return kind(**options).build()

    entry.__name__, entry.__doc__ = name, kind.__doc__
    return entry


globals().update({name: _entry(name, kind) for name, kind in LOSSES.table.items()})
