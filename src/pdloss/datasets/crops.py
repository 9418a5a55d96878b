"""Photographs → training crops and evaluation pairs; every item is a pure function of the seed.

The noise of crop i of step s depends on (seed, s, i), never on the worker that drew it, on the order of access or on
what was drawn before. Stopping and going on therefore equals never stopping.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from pdloss._types import Image
from pdloss.datasets.own_pairs import OwnPairs, square
from pdloss.datasets.photographs import Photographs
from pdloss.datasets.prefetch import ahead
from pdloss.datasets.workers import WorkerPool
from pdloss.errors import SpecError
from pdloss.ops.streams import generator

Degrade = Callable[[Tensor, torch.Generator], Tensor]
"""``(clean, generator) → degraded``, for one (3, H, W) image; all randomness comes from the generator."""


class Pair(NamedTuple):
    """One degraded image, what it should be, and the file name of the photograph."""

    degraded: Float[Tensor, "3 h2 w2"]
    target: Float[Tensor, "3 h w"]
    name: str


class Batch(NamedTuple):
    """Pairs stacked: degraded (B, 3, h', w'), target (B, 3, h, w), and the names of the photographs."""

    degraded: Float[Tensor, "b 3 h2 w2"]
    target: Float[Tensor, "b 3 h w"]
    names: list[str]


class Crops(Dataset[Pair]):
    """Random square crops: item ``step * batch + index`` is crop `index` of step `step`; there is no last item.

    Every photograph is used once per epoch, in an order drawn anew for each. Position and one of the eight
    symmetries (quarter turns, mirrored or not) are uniform; the degradation then draws from the same stream.

    Args:
        photographs: Where to crop from.
        degradation: ``(clean, generator) → degraded``; of pairs, which have their degraded photographs, only its factor
            counts.
        size: Side of the crop, in pixels.
        seed: Chooses everything random.
        batch: Crops per step.

    Raises:
        ImageError: If a photograph is smaller than the crop.
        SpecError: If the degradation's factor does not divide the crop.
    """

    def __init__(
        self, photographs: Photographs | OwnPairs, degradation: Degrade, *, size: int, seed: int, batch: int
    ) -> None:
        photographs.check_crop(size)
        if size % (factor := factor_of(degradation)):
            raise SpecError(f"a crop of {size} pixels cannot be degraded {factor} times smaller; use a multiple")
        self.photographs, self.degradation = photographs, degradation
        self.size, self.seed, self.batch = size, seed, batch
        self._epoch: tuple[int, list[int]] = (-1, [])

    def __getitem__(self, item: int) -> Pair:
        epoch, place = divmod(item, len(self.photographs))
        photograph = self._order(epoch)[place]
        stream = generator(self.seed, *divmod(item, self.batch))
        name = self.photographs.names[photograph]
        if isinstance(self.photographs, OwnPairs):
            return _given(*self.photographs.crop(photograph, self.size, stream), name)
        crop = random_crop(self.photographs[photograph], self.size, stream)
        return _pair(crop, self.degradation, stream, name)

    def _order(self, epoch: int) -> list[int]:
        if self._epoch[0] != epoch:
            order = torch.randperm(len(self.photographs), generator=generator(self.seed, "epoch", epoch))
            self._epoch = (epoch, order.tolist())
        return self._epoch[1]


class Pairs(Dataset[Pair]):
    """Whole photographs for evaluation; the noise on each depends on the seed and on its file name only.

    Args:
        photographs: The photographs, or their folder, or pairs.
        degradation: ``(clean, generator) → degraded``; of pairs it has no effect.
        seed: Chooses the noise.

    Raises:
        ImageError: As `Photographs`, if given a folder.
    """

    def __init__(self, photographs: Photographs | OwnPairs | Path, degradation: Degrade, seed: int) -> None:
        self.photographs = Photographs(photographs) if isinstance(photographs, Path) else photographs
        self.degradation, self.seed = degradation, seed

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: int) -> Pair:
        name = self.photographs.names[index]
        if isinstance(self.photographs, OwnPairs):
            return _given(*self.photographs[index], name)
        return _pair(self.photographs[index], self.degradation, generator(self.seed, name), name)


def random_crop(pixels: UInt8[Tensor, "3 h w"], size: int, generator: torch.Generator) -> UInt8[Tensor, "3 s s"]:
    """Returns a square cut out at a uniformly random place, in one of its eight symmetries."""
    top, left = (int(torch.randint(side - size + 1, (), generator=generator)) for side in pixels.shape[1:])
    symmetry = int(torch.randint(8, (), generator=generator))
    return square(pixels, top, left, size, symmetry)


def batches(
    crops: Crops, first_step: int, last_step: int, workers: int = 0, *, pin: bool = False, part: int = 0, parts: int = 1
) -> Generator[Batch, None, None]:
    """Yields the batch of every step in ``range(first_step, last_step)``, the same whatever the number of workers.

    The global random state is neither read nor changed. The workers share the decoded photographs.

    Args:
        crops: The crops.
        first_step: The first step.
        last_step: The step to stop before.
        workers: Processes that prepare batches ahead; 0 prepares each when it is asked for.
        pin: Put the batches into pinned memory, for a faster way to a GPU.
        part: Which of the equal parts of every batch to yield.
        parts: How many there are; together they are the batch.

    Raises:
        SpecError: If the batch cannot be parted equally.
        RunError: If a worker died, found no room in shared memory, or delivered nothing for `workers.PATIENCE` seconds.
    """
    if crops.batch % parts:
        raise SpecError(f"a batch of {crops.batch} cannot be shared equally by {parts} processes; use a multiple")
    size, share = crops.batch, crops.batch // parts
    firsts = (step * size + part * share for step in range(first_step, last_step))
    items = (range(first, first + share) for first in firsts)
    with contextlib.ExitStack() as stack:
        made: Iterator[Batch] = map(partial(_batch, crops), items)
        if workers:
            made = stack.enter_context(WorkerPool(partial(_batch, crops), workers)).results(items)
        yield from ahead(lambda _: _pinned(next(made)), last_step - first_step) if pin else made


def factor_of(degradation: Degrade) -> int:
    """Returns how many times smaller than its target a degraded image is: the degradation's ``factor``, else 1."""
    return int(getattr(degradation, "factor", 1))


def _pair(pixels: Tensor, degradation: Degrade, stream: torch.Generator, name: str) -> Pair:
    # As the sets of super-resolution are made: rows and columns that the factor leaves over go, below and at the right.
    height, width = (side - side % factor_of(degradation) for side in pixels.shape[1:])
    target: Image = pixels[:, :height, :width].to(torch.float32).contiguous() / 255
    with _one_thread():
        # A copy, so that a degradation that works in place cannot change the target.
        return Pair(degradation(target.clone(), stream), target, name)


def _given(degraded: Tensor, target: Tensor, name: str) -> Pair:
    one, other = (pixels.to(torch.float32).contiguous() / 255 for pixels in (degraded, target))
    return Pair(one, other, name)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keeps sums in one order: loader workers have one thread, the main process may have many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _batch(crops: Crops, items: range) -> Batch:
    degraded, targets, names = zip(*(crops[item] for item in items), strict=True)
    return Batch(torch.stack(degraded), torch.stack(targets), list(names))


def _pinned(batch: Batch) -> Batch:
    return Batch(batch.degraded.pin_memory(), batch.target.pin_memory(), batch.names)
