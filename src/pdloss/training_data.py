"""What a training reads: photographs that it degrades itself, or pairs that came degraded."""

from collections.abc import Callable
from typing import TypeAlias

from pdloss import degradations
from pdloss.configuration import TrainConfig
from pdloss.datasets import OwnPairs, Photographs
from pdloss.degradations import Chain
from pdloss.degradations.given import Given

TrainingPhotographs: TypeAlias = Photographs | OwnPairs


def training_data(
    config: TrainConfig, crop: int, usual: str, progress: Callable[[int, int], object]
) -> tuple[TrainingPhotographs, Chain]:
    """Returns the photographs and what degrades them; of pairs, what stands for it.

    Args:
        config: The options.
        crop: Side of the crops.
        usual: The degradation where the options name none.
        progress: Told of every file read.

    Raises:
        SpecError: If the degradation cannot be used.
        ImageError: If the data cannot.
    """
    if config.degraded is not None:
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
