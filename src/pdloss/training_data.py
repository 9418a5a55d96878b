"""What a training reads: photographs that it degrades itself, or pairs that came degraded."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from pdloss import degradations
from pdloss.datasets import OwnPairs, Photographs
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


def training_data(
    config: Options, crop: int, usual: str, progress: Callable[[int, int], object]
) -> tuple[TrainingPhotographs, Chain]:
    """Returns the photographs and what degrades them; of pairs, what stands for it.

    Args:
        config: The options.
        crop: Side of the crops.
        usual: The degradation where the options name none.
        progress: Told of every file read.

    Raises:
        SpecError: If the degradation cannot be used, or is given beside pairs.
        ImageError: If the data cannot.
    """
    if config.degraded is not None:
        if config.degradation is not None:
            raise SpecError(
                f"--degradation {config.degradation!r} has no effect on the pairs of --degraded {config.degraded}; "
                "leave one out"
            )
        pairs = OwnPairs(
            config.data,
            config.degraded,
            cached=True,
            skip_damaged=config.skip_damaged,
            smallest=crop,
            progress=progress,
        )
        return pairs, Chain((Given(pairs.factor),))
    chain = degradations.parse(usual if config.degradation is None else config.degradation)
    photographs = Photographs(
        config.data, cached=True, skip_damaged=config.skip_damaged, smallest=crop, progress=progress
    )
    return photographs, chain
