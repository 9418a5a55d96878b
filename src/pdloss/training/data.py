"""What a training reads: photographs that it degrades itself, or pairs that came degraded."""

from collections.abc import Callable
from typing import Any, TypeAlias

from pdloss.datasets import OwnPairs, Photographs
from pdloss.degradations import Chain
from pdloss.degradations.given import Given
from pdloss.runs.purposes import Purpose
from pdloss.training.configuration import PartOptions

TrainingPhotographs: TypeAlias = Photographs | OwnPairs


def training_data(
    options: PartOptions, aim: Purpose, progress: Callable[[int, int], object], reread: bool = False
) -> tuple[TrainingPhotographs, Chain]:
    """Returns the photographs and what degrades them; of pairs, what stands for it.

    Args:
        options: The options.
        aim: Side of the crops, and what degrades photographs that are no pairs.
        progress: Told of every file read.
        reread: As of `Photographs`.

    Raises:
        ImageError: If the data cannot be used.
    """
    how: dict[str, Any] = {"cached": True, "skip_damaged": options.skip_damaged, "smallest": aim.crop}
    if options.degraded is None:
        return Photographs(options.data, **how, reread=reread, progress=progress), aim.degradation
    pairs = OwnPairs(options.data, options.degraded, **how, reread=reread, progress=progress)
    return pairs, Chain((Given(pairs.factor),))  # the first pair of all may have been left out
