"""Degradations one after the other: ``blur(support=15) | noise(sigma=0..5/255)``, refused where one cannot follow."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import Degradation
from pdloss.degradations.choice import DegradationChoice
from pdloss.degradations.mosaic import BayerMosaic
from pdloss.errors import ImageError, SpecError
from pdloss.specs import Choice, Own


@dataclass(frozen=True)
class Chain:
    """Degradations, the first applied first; itself the callable ``(clean, generator) → degraded``.

    All strengths are drawn before the first link is applied, in the order of the text.

    After a `mosaic`, whose values belong to different colours by their place, only noise can follow; where the mosaic
    is masked, it stays zero at the sites that the sensor does not have. A user's own class may stand anywhere.

    Args:
        links: The choices; there is at least one.

    Raises:
        SpecError: If a link cannot follow those before it, or a user's own class cannot be built.

    Example:
        >>> from pdloss.degradations import Downscale, GaussianNoise
        >>> chain = Chain((Downscale(factor=2), GaussianNoise(sigma=0.1)))
        >>> str(chain), chain.factor
        ('downscale(factor=2) | noise(sigma=0.1)', 2)
        >>> chain(torch.zeros(3, 8, 6), torch.Generator()).shape
        torch.Size([3, 4, 3])
    """

    links: tuple[Choice, ...]
    kinds: tuple[Degradation, ...] = field(default=(), compare=False, repr=False)
    """The links' callables: the links themselves, but for a user's own classes, which are made once."""

    def __post_init__(self) -> None:
        if not self.links:
            raise SpecError("a chain of degradations needs at least one")
        _check_order(self.links)
        object.__setattr__(self, "kinds", self.kinds or tuple(map(_built, self.links)))

    @property
    def factor(self) -> int:
        """How many times smaller each side gets: the product of the links' factors."""
        return math.prod(int(getattr(kind, "factor", 1)) for kind in self.kinds)

    def build(self) -> Degradation:
        """Returns the callable: the chain itself, or its only link."""
        return self.kinds[0] if len(self.kinds) == 1 else self

    def in_full(self) -> str:
        """Returns the text with every option of every link, defaults too."""
        return " | ".join(link.in_full() for link in self.links)

    def __str__(self) -> str:
        return " | ".join(map(str, self.links))

    def drawn(self, generator: torch.Generator) -> "Chain":
        """Returns the chain with a number in place of every range: its text is the record of what one image suffers.

        With the same generator, drawing and applying the result is what calling the chain does. So a record of the
        chain, the generator's seed and the text drawn allows to repeat the image, and to check that it is repeated.
        """
        pairs = [
            (link.drawn(generator),) * 2 if isinstance(link, DegradationChoice) else (link, kind)
            for link, kind in zip(self.links, self.kinds, strict=True)
        ]
        return Chain(tuple(link for link, _ in pairs), tuple(kind for _, kind in pairs))

    def __call__(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c2 h2 w2"]:
        """Returns the degraded image of one clean one; all randomness comes from the generator.

        Raises:
            ImageError: If the chain would leave no pixels of the image, or a link cannot take it.
        """
        height, width = clean.shape[1:]
        if min(height, width) < self.factor:
            raise ImageError(
                f"an image of {height}x{width} (height x width) is too small for {self}, which makes it {self.factor} "
                f"times smaller: each side needs at least {self.factor} pixels"
            )
        image, mosaic = clean, None
        for kind in self.drawn(generator).kinds:
            image = kind(image, generator)
            if isinstance(kind, BayerMosaic):
                mosaic = kind
            elif mosaic is not None and isinstance(kind, DegradationChoice):
                image = mosaic.at_its_sites(image)
        return image


def _built(link: Choice) -> Degradation:
    """Returns what a link stands for.

    Raises:
        SpecError: If a user's own class cannot be built, or makes what cannot be called.
    """
    kind: Degradation = link.build()
    if not callable(kind):
        raise SpecError(
            f"{link} is no degradation: what it makes is of type {type(kind).__name__}, and no callable of (clean, "
            "generator)"
        )
    return kind


def _check_order(links: tuple[Choice, ...]) -> None:
    """Refuses what cannot follow a mosaic.

    Raises:
        SpecError: Naming the two links, the reason and the cure.
    """
    mosaic: Choice | None = None
    for link in links:
        if mosaic is not None and not isinstance(link, Own) and not getattr(link, "pointwise", False):
            second = isinstance(link, BayerMosaic)
            cure = "leave one out" if second else f"write {link.name} before {mosaic.name}"
            raise SpecError(
                f"{link} cannot follow {mosaic}: a mosaic holds one colour at each place, and only noise can be added "
                f"to it; {cure}"
            )
        mosaic = link if isinstance(link, BayerMosaic) else mosaic
