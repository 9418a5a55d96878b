"""Restored × target → number: every loss as a function, a module and a choice; sums of choices as objectives.

A line for every file: `LOSSES`, the public names and whatever lists losses follow from what the files hold.
"""

from pdloss._types import OWN_LOSS
from pdloss.losses.adversarial import *
from pdloss.losses.choice import *
from pdloss.losses.choice import REGISTERED, Objective
from pdloss.losses.cobi import *
from pdloss.losses.contextual import *
from pdloss.losses.fdl import *
from pdloss.losses.feature_loss import *
from pdloss.losses.focal_frequency import *
from pdloss.losses.learned_metrics import *
from pdloss.losses.ms_ssim import *
from pdloss.losses.perceptual import *
from pdloss.losses.phase import *
from pdloss.losses.pixel import *
from pdloss.losses.projected import *
from pdloss.losses.wasserstein_distortion import *
from pdloss.losses.weighted_sum import *
from pdloss.specs import Family
from pdloss.specs.trust import RECEIVED, Trust

LOSSES = Family("loss", tuple(REGISTERED), OWN_LOSS)


def objective(text: str, trusted: Trust = RECEIVED) -> Objective:
    """Returns the sum that `text` writes, such as ``"l1 + 0.05*multilayer_pdl + 0.5*phase"``.

    Args:
        text: The sum.
        trusted: Whose text it is; only `TYPED` may name a class of the user's own.

    Raises:
        SpecError: If a name, an option or a value is wrong, or names code that it may not name.
    """
    return Objective(LOSSES.parse_sum(text, trusted))


_HERE = {name: getattr(thing, "__module__", "") for name, thing in globals().items()}
__all__ = sorted({"LOSSES", *(name for name, module in _HERE.items() if module.startswith(__name__))})
