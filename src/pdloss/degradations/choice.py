"""What the library's degradations have in common: strengths drawn for each image, and what a mosaic allows."""

import dataclasses
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss.specs import Choice, Range


@dataclass(frozen=True)
class DegradationChoice(Choice, ABC):
    """Base of the library's degradations: itself the callable ``(clean, generator) → degraded``.

    Calling it is `drawn` followed by `degraded` with the same generator. Where no option is a range, `drawn` takes
    nothing from the generator.
    """

    pointwise: ClassVar[bool] = False
    """Whether each value is degraded by itself, so that a mosaic, too, can be."""

    def drawn(self, generator: torch.Generator) -> "DegradationChoice":
        """Returns the choice with a number in place of every range: its text says what one image suffers.

        Example:
            >>> from pdloss.degradations import GaussianNoise
            >>> from pdloss.specs import Range
            >>> GaussianNoise(sigma=Range(0.1, 0.1)).drawn(torch.Generator())
            GaussianNoise(sigma=0.1, clip=True)
        """
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        chosen = {name: number(value, generator) for name, value in values.items() if isinstance(value, Range)}
        return dataclasses.replace(self, **chosen) if chosen else self

    def __call__(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c2 h2 w2"]:
        """Returns the degraded image of one clean one; all randomness comes from the generator."""
        return self.drawn(generator).degraded(clean, generator)

    @abstractmethod
    def degraded(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c2 h2 w2"]:
        """Returns the degraded image, where every strength is a number: what is left to chance is the noise.

        Raises:
            ValueError: If a strength is still a range.
        """


def number(strength: float | Range, generator: torch.Generator) -> float:
    """Returns a number drawn from a range, or the number that it is: an int from a range of ints.

    Example:
        >>> number(Range(7, 7), torch.Generator()), number(0.5, torch.Generator())
        (7, 0.5)
    """
    if not isinstance(strength, Range):
        return strength
    low, high = strength.low, strength.high
    if isinstance(low, int) and isinstance(high, int):  # each whole number has the unit interval above it
        return min(high, math.floor(_between(low, high + 1, strength.log, generator)))
    return min(high, max(low, _between(low, high, strength.log, generator)))


def plain(strength: float | Range) -> float:
    """Returns a strength that has been drawn.

    Raises:
        ValueError: If it is a range.
    """
    if isinstance(strength, Range):
        raise ValueError(f"the range {strength} has no value yet: call drawn(generator) first")
    return strength


def white_noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Returns standard Gaussian noise in the shape, number format and place of `like`."""
    noise = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=generator.device)
    return noise.to(like.device)


def _between(low: float, high: float, log: bool, generator: torch.Generator) -> float:
    share = torch.rand((), generator=generator, dtype=torch.float64, device=generator.device).item()
    return low * math.exp(share * math.log(high / low)) if log else low + share * (high - low)
