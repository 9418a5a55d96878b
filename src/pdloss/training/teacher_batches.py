"""What a distilled student learns from: the latest batches, each with the maps that its teacher gives."""

import itertools
import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pdloss import datasets
from pdloss.devices import autocast
from pdloss.ops.streams import generator
from pdloss.training.pattern_pairs import changes, with_pairs

KEPT = 64
"""Batches that the student may be asked about again."""


class TeacherBatch(NamedTuple):
    """A batch, and what the teacher says of it, in the teacher's units."""

    images: Tensor
    maps: dict[str, Tensor]
    changes: dict[str, Tensor]
    """By how much the patterns of the pairs change the maps; empty without pairs."""


class TeacherBatches:
    """Gives the batch of every step: one of the latest, of which there is a new one every few steps.

    The n-th batch is a matter of the seed and n alone, and so is which batch a step takes: begun at a later step, the
    same ones follow. The teacher is asked again for those that were kept then.

    Args:
        teacher: Maps a batch to a map for each layer.
        sources: Crops to take turns, a batch each.
        seed: Chooses patterns and batches.
        steps: Of the whole training.
        reuse: Steps for each new batch.
        paired: Whether half of each batch are pairs of an image and itself with a pattern.
        begin: The step to begin at.
    """

    def __init__(
        self,
        teacher: nn.Module,
        sources: Sequence[datasets.Crops],
        *,
        seed: int,
        steps: int,
        reuse: int,
        paired: bool,
        begin: int = 0,
    ) -> None:
        self._teacher, self._seed, self._reuse, self._paired = teacher, seed, reuse, paired
        self._choose, self._kept = random.Random(seed), deque[TeacherBatch](maxlen=KEPT)
        given = math.ceil(begin / reuse)
        self._next = max(0, given - KEPT)
        self._batches = _in_turn(sources, self._next, math.ceil(steps / reuse))
        while self._next < given:
            self._learn()
        for step in range(begin):
            self._choose.randrange(min(KEPT, step // reuse + 1))

    def at(self, step: int) -> TeacherBatch:
        """Returns the batch of a step; they are asked for in order."""
        if step % self._reuse == 0:
            self._learn()
        return self._kept[self._choose.randrange(len(self._kept))]

    @torch.no_grad()
    def _learn(self) -> None:
        images = next(self._batches).degraded
        if self._paired:
            images = with_pairs(images, generator("pairs", self._seed, self._next))
            maps: dict[str, Tensor] = self._teacher(images)  # half precision would hide what small patterns change
        else:
            with autocast(images.device):
                maps = self._teacher(images)
        changed = {layer: changes(x.float()).bfloat16() for layer, x in maps.items()} if self._paired else {}
        self._kept.append(TeacherBatch(images, {layer: x.bfloat16() for layer, x in maps.items()}, changed))
        self._next += 1


def _in_turn(sources: Sequence[datasets.Crops], first: int, last: int) -> Iterator[datasets.Batch]:
    """Yields the batches of ``range(first, last)``; the n-th is of source n mod the number of sources."""
    count = len(sources)
    each = [
        datasets.batches(crops, max(0, math.ceil((first - place) / count)), math.ceil(last / count))
        for place, crops in enumerate(sources)
    ]
    turns = itertools.cycle(each)
    return (next(source) for source in itertools.islice(turns, first % count, first % count + last - first))
