"""The weight of the distribution loss beside `l1`, for each set of features: one recommendation each, from a record.

A weight means something only together with its features. The default of `pdloss train`, the budgets, the demo, README
and docs take it from here; each is for starting, and `pdloss calibrate` finds one's own.
"""

from typing import NamedTuple

from pdloss.errors import SpecError
from pdloss.specs import suggestion


class Recommendation(NamedTuple):
    """A weight, and where it is from."""

    weight: float
    record: str
    """Folder of the runs or measurements below ``experiments``; what came of them stands in its LOG.md."""


RECOMMENDED = {
    # Ten minutes from fresh weights: 28.12 dB and LPIPS 0.2324 on Kodak24, where 0.002 ended at 27.65 dB and 0.2195. In
    # the five tasks, half of the pull was 0.00014 to 0.00019.
    "distilled-1.relu4_3": Recommendation(0.0003, "budget-cpu"),
    # Two layers, for going on from a network trained on pixels at x4: LPIPS 0.287 for 0.337, at 0.7 dB.
    "distilled-1.relu3_4+relu4_3": Recommendation(0.0005, "features"),
    # From a network trained on pixels: 28.22 dB and LPIPS 0.2359 on Kodak24, for 0.06 dB less than it began with.
    "vgg19.relu4_3": Recommendation(0.0003, "denoise-first"),
    # Not trained with yet: the weight at which it pulls as hard as vgg19.relu4_3 does at 0.0003, whose maps are larger.
    "vgg16.relu4_3": Recommendation(0.002, "recommended-weights"),
}
"""By features."""

DEFAULT_FEATURES = "vgg16.relu4_3"
"""Those of the loss that `pdloss train` takes unless told otherwise; the paper's."""


def recommended(features: str) -> str:
    """Returns the loss to start from with these features.

    Raises:
        SpecError: If there is no recommendation.

    Example:
        >>> recommended("distilled-1.relu4_3")
        "l1 + 0.0003*pdl(features='distilled-1.relu4_3')"
    """
    if features not in RECOMMENDED:
        raise SpecError(
            f"no weight is recommended for {features!r}{suggestion(features, RECOMMENDED)}; pdloss calibrate finds one"
        )
    return f"l1 + {RECOMMENDED[features].weight:g}*pdl(features={features!r})"
