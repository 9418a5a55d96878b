"""What stands for a degradation where nobody made one: degraded pictures that came with their targets."""

from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor

from pdloss.errors import SpecError
from pdloss.specs import Choice

_NAME = "given"


@dataclass(frozen=True)
class Given(Choice, name=_NAME):
    """Degraded pictures of a set of real pairs; it says how much smaller they are, and cannot be applied.

    It is in no table of names: ``--degraded`` makes it, and records hold its text.

    Args:
        factor: How many times smaller than its target each degraded picture is.
    """

    factor: int = 1

    def __call__(self, clean: Tensor, generator: torch.Generator) -> NoReturn:
        """Refuses, since the degraded pictures are given.

        Raises:
            SpecError: Always.
        """
        raise SpecError(f"{self} is no degradation that can be applied: its pictures are read with --degraded")


def is_given(text: str) -> bool:
    """Returns whether a degradation's text stands for pairs, as the records of runs on them hold it.

    Example:
        >>> is_given(Given(factor=2).in_full()), is_given("noise(sigma=0.1)")
        (True, False)
    """
    return text.partition("(")[0] == _NAME
