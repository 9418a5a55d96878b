"""Clean → degraded: each kind is a choice and itself the callable ``(clean, generator) → degraded``.

Kinds follow one another in a `Chain`, in text ``"blur(support=1..15) | noise(sigma=0..5/255)"``. A `Range` in place of
a strength is drawn anew for every image; ``drawn(generator)`` says, before it is applied, what one image suffers.
"""

from pdloss._types import OWN_DEGRADATION, Degradation
from pdloss.degradations.adjoints import adjoint
from pdloss.degradations.blur import CameraShake
from pdloss.degradations.chain import Chain
from pdloss.degradations.choice import DegradationChoice
from pdloss.degradations.downscale import Downscale
from pdloss.degradations.gaussian_blur import GaussianBlur
from pdloss.degradations.jpeg import JPEG, codec
from pdloss.degradations.mosaic import BayerMosaic
from pdloss.degradations.noise import GaussianNoise, PoissonGaussianNoise
from pdloss.degradations.shake import camera_shake_kernel
from pdloss.specs import Family, Range
from pdloss.specs.trust import RECEIVED, Trust

__all__ = [
    "DEGRADATIONS",
    "JPEG",
    "BayerMosaic",
    "CameraShake",
    "Chain",
    "DegradationChoice",
    "Downscale",
    "GaussianBlur",
    "GaussianNoise",
    "PoissonGaussianNoise",
    "Range",
    "adjoint",
    "camera_shake_kernel",
    "codec",
    "degradation",
    "parse",
]

DEGRADATIONS = Family(
    "degradation",
    (GaussianNoise, PoissonGaussianNoise, Downscale, CameraShake, GaussianBlur, JPEG, BayerMosaic),
    OWN_DEGRADATION,
)


def parse(text: str, trusted: Trust = RECEIVED) -> Chain:
    """Returns the chain that `text` writes, of one degradation or several, such as ``"blur | noise(sigma=0..5/255)"``.

    Args:
        text: The chain.
        trusted: Whose text it is; only `TYPED` may name a class of the user's own.

    Raises:
        SpecError: If a name or a value is wrong, names code that it may not name, or a degradation cannot follow those
            before it.
    """
    return Chain(DEGRADATIONS.parse_chain(text, trusted))


def degradation(text: str, trusted: Trust = RECEIVED) -> Degradation:
    """Returns the callable that `text` writes, such as ``"noise(sigma=100/255)"``; of a chain, the `Chain`.

    Raises:
        SpecError: As `parse`; also if a user's own class cannot be built.
    """
    return parse(text, trusted).build()
