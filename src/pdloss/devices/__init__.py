"""Where to compute, how precisely, and what else of this machine a computation meets."""

from typing import TYPE_CHECKING

from pdloss.lazy_names import lazy_names

if TYPE_CHECKING:
    from pdloss.devices.choosing import chosen_device as chosen_device
    from pdloss.devices.precision import autocast as autocast
    from pdloss.devices.precision import best_precision as best_precision
    from pdloss.devices.precision import channels_last as channels_last
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"choosing": ["chosen_device"], "precision": ["autocast", "best_precision", "channels_last"]},
    )
