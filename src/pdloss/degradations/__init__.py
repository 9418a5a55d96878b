"""Clean → degraded: each kind is a choice and itself the callable ``(clean, generator) → degraded``."""

from pdloss._types import Degradation
from pdloss.degradations.downscale import Downscale
from pdloss.degradations.noise import GaussianNoise
from pdloss.specs import Family

__all__ = ["DEGRADATIONS", "Downscale", "GaussianNoise", "degradation"]

DEGRADATIONS = Family("degradation", (GaussianNoise, Downscale))


def degradation(text: str) -> Degradation:
    """Returns the degradation that `text` names, such as ``"noise(sigma=100/255)"``.

    Raises:
        SpecError: If the name or a value is wrong.
    """
    built: Degradation = DEGRADATIONS.parse(text).build()
    return built
