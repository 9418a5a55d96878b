"""What a training reads: photographs that it degrades itself, or pairs that came degraded."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from pdloss.datasets import OwnPairs, Photographs
from pdloss.datasets.own_pairs import first_factor
from pdloss.degradations import Chain
from pdloss.degradations.given import Given
from pdloss.errors import SpecError

TrainingPhotographs: TypeAlias = Photographs | OwnPairs


@runtime_checkable
class Options(Protocol):
    """What those of a training say of its data."""

    @property
    def data(self) -> str:
        """Where the photographs are."""

    @property
    def degraded(self) -> str | None:
        """Where their degraded ones are, if they are pairs."""

    @property
    def degradation(self) -> str | None:
        """What degrades them, if they are not."""

    @property
    def skip_damaged(self) -> bool:
        """Whether damaged ones are left out."""


def pairs_degradation(config: Options) -> Chain | None:
    """Returns what stands for the degradation of pairs, of which only the first is read; None if it is no pairs.

    Raises:
        SpecError: If a degradation is given beside pairs.
        ImageError: If nothing is paired, or the first two do not fit each other.
    """
    if config.degraded is None:
        return None
    if config.degradation is not None:
        raise SpecError(
            f"--degradation {config.degradation!r} has no effect on the pairs of --degraded {config.degraded}; "
            "leave one out"
        )
    return Chain((Given(first_factor(config.data, config.degraded, leave_out=config.skip_damaged)),))


def training_data(
    config: Options, crop: int, degradation: Chain, progress: Callable[[int, int], object], reread: bool = False
) -> tuple[TrainingPhotographs, Chain]:
    """Returns the photographs and what degrades them; of pairs, what stands for it.

    Args:
        config: The options.
        crop: Side of the crops.
        degradation: What degrades photographs that are no pairs.
        progress: Told of every file read.
        reread: As of `Photographs`.

    Raises:
        ImageError: If the data cannot be used.
    """
    if config.degraded is None:
        photographs = Photographs(
            config.data, cached=True, skip_damaged=config.skip_damaged, smallest=crop, reread=reread, progress=progress
        )
        return photographs, degradation
    pairs = OwnPairs(
        config.data,
        config.degraded,
        cached=True,
        skip_damaged=config.skip_damaged,
        smallest=crop,
        reread=reread,
        progress=progress,
    )
    return pairs, Chain((Given(pairs.factor),))  # the first pair of all may have been left out
