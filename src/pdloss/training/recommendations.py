"""The weight of each distribution loss beside `l1`: one recommendation each, from a record.

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
    beside: str = ""
    """More terms, of no cost where there is no mesh."""


DEFAULT_LOSS = "multilayer_pdl"
"""The one that `pdloss train` and the budgets take unless told otherwise: ours, whose features ship."""

RECOMMENDED = {
    # Going on from a network trained on pixels, half of the pull was 0.042 when denoising and 0.051 at x4.
    DEFAULT_LOSS: Recommendation(0.05, "features", beside=" + 0.5*phase"),
    # The paper's. The weight at which it pulls as hard as pdl on vgg19.relu4_3 does at 0.0003, whose maps are larger.
    "pdl": Recommendation(0.002, "recommended-weights"),
    # From a network trained on pixels: 28.22 dB and LPIPS 0.2359 on Kodak24, for 0.06 dB less than it began with.
    "pdl(features='vgg19.relu4_3')": Recommendation(0.0003, "denoise-first"),
}
"""By loss."""


def recommended(loss: str = DEFAULT_LOSS) -> str:
    """Returns the objective to start from with this loss.

    Raises:
        SpecError: If there is no recommendation.

    Example:
        >>> recommended("pdl")
        'l1 + 0.002*pdl'
    """
    if loss not in RECOMMENDED:
        raise SpecError(
            f"no weight is recommended for {loss!r}{suggestion(loss, RECOMMENDED)}; pdloss calibrate finds one"
        )
    chosen = RECOMMENDED[loss]
    return f"l1 + {chosen.weight:g}*{loss}{chosen.beside}"
