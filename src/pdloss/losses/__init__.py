"""Restored × target → number: every loss as a function, a module and a choice; sums of choices as objectives.

A line for every file: `LOSSES`, the public names and whatever lists losses follow from what the files hold.
"""

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
from pdloss.losses.pixel import *
from pdloss.losses.projected import *
from pdloss.losses.wasserstein_distortion import *
from pdloss.losses.weighted_sum import *
from pdloss.specs import Family

LOSSES = Family("loss", tuple(REGISTERED))


def objective(text: str) -> Objective:
    """Returns the sum that `text` writes, such as ``"l1 + 0.01*pdl(features='distilled.relu4_3')"``.

    Raises:
        SpecError: If a name, an option or a value is wrong.
    """
    return Objective(LOSSES.parse_sum(text))


_HERE = {name: getattr(thing, "__module__", "") for name, thing in globals().items()}
__all__ = sorted({"LOSSES", *(name for name, module in _HERE.items() if module.startswith(__name__))})
