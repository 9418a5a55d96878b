"""A folder of photographs → training crops and evaluation pairs; every item is a pure function of the seed.

The noise of crop i of step s depends on (seed, s, i), never on the worker that drew it, on the order of access or on
what was drawn before. Stopping and going on therefore equals never stopping.
"""

import hashlib
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pdloss._types import Image
from pdloss.errors import ImageError, SpecError
from pdloss.images import Picture, list_images, read_pixels
from pdloss.ops.streams import generator

_UNKNOWN_MEMORY = 4 << 30

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


def available_memory(root: Path = Path("/")) -> int:
    """Returns how many bytes of memory new data may fill, within the container's limit if there is one.

    Read from Linux' own files below `root`; elsewhere, half of the machine's memory, or 4 GiB where that is unknown.
    """
    limits = []
    for name in ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _text(root / name).strip()
        limits += [int(text)] if text.isdigit() else []
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return min([*limits, int(line.split()[1]) * 1024])  # given in KiB
    try:
        return min([*limits, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2])
    except (AttributeError, ValueError, OSError):
        return min([*limits, _UNKNOWN_MEMORY])


class Photographs:
    """The images of a folder, checked one and all, and kept decoded as far as memory allows.

    Every file is decoded once when the object is made, so damage shows before training and not hours into it. Those
    that fit under the limit stay in memory as 8-bit RGB; the others are decoded anew whenever they are asked for.

    Args:
        folder: Where the images lie, directly.
        skip_damaged: Leave damaged and too small images out, listed in `skipped`, instead of refusing the folder.
        smallest: Least height and width, in pixels.
        memory_limit: Bytes that decoded images may fill; by default half of the available memory.
        progress: Called with (files done, files in all) after each file.

    Raises:
        ImageError: If the folder holds no usable image, or one that is damaged or too small.
    """

    def __init__(
        self,
        folder: Path,
        *,
        skip_damaged: bool = False,
        smallest: int = 1,
        memory_limit: int | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        self.folder = folder
        self.names: list[str] = []
        """File names with their suffix, sorted."""
        self.skipped: dict[str, str] = {}
        """Names of the files left out, with the reason."""
        self._shapes: list[tuple[int, int]] = []
        self._kept: list[Tensor | None] = []
        self._notes: Counter[str] = Counter()
        self._room = available_memory() // 2 if memory_limit is None else memory_limit
        digest = hashlib.sha256()
        paths = list_images(folder)
        with closing(_decoded(paths)) as decoded:
            for done, (path, picture) in enumerate(decoded, start=1):
                try:
                    self._add(path.name, picture, smallest)
                    digest.update(f"{path.name}\0{path.stat().st_size}\n".encode())
                except ImageError as error:
                    if not skip_damaged:
                        raise ImageError(f"{error}; --skip-damaged leaves such files out") from None
                    self.skipped[path.name] = str(error)
                if progress:
                    progress(done, len(paths))
        if not self.names:
            raise ImageError(f"{folder} holds no usable image; the first: {next(iter(self.skipped.values()))}")
        self.fingerprint = digest.hexdigest()
        """SHA-256 over names and file sizes of the images in use."""

    def _add(self, name: str, picture: Picture | ImageError, smallest: int) -> None:
        if isinstance(picture, ImageError):
            raise picture
        shape = (picture.pixels.shape[1], picture.pixels.shape[2])
        _check_size(self.folder / name, shape, smallest)
        self.names.append(name)
        self._shapes.append(shape)
        fits = picture.pixels.nbytes <= self._room
        self._room -= picture.pixels.nbytes if fits else 0
        self._kept.append(picture.pixels if fits else None)
        self._notes.update(filter(None, picture.note.split("; ")))

    @property
    def notes(self) -> list[str]:
        """What was done to how many files, such as ``"12 files: alpha dropped"``."""
        notes = [_files(count, note) for note, count in self._notes.most_common()]
        if outside := sum(pixels is None for pixels in self._kept):
            notes.append(_files(outside, "did not fit in memory, decoded whenever asked for"))
        return notes

    def check_crop(self, size: int) -> None:
        """Refuses a crop that some photograph is too small for.

        Raises:
            ImageError: Naming the first such file, its size and the crop.
        """
        for name, shape in zip(self.names, self._shapes, strict=True):
            _check_size(self.folder / name, shape, size)

    @property
    def smallest_side(self) -> int:
        """The least height or width among the photographs."""
        return min(min(shape) for shape in self._shapes)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> UInt8[Tensor, "3 h w"]:
        kept = self._kept[index]
        return read_pixels(self.folder / self.names[index]).pixels if kept is None else kept


class Crops(Dataset[Pair]):
    """Random square crops: item ``step * batch + index`` is crop `index` of step `step`; there is no last item.

    Every photograph is used once per epoch, in an order drawn anew for each. Position and one of the eight
    symmetries (quarter turns, mirrored or not) are uniform; the degradation then draws from the same stream.

    Args:
        photographs: Where to crop from.
        degradation: ``(clean, generator) → degraded``.
        size: Side of the crop, in pixels.
        seed: Chooses everything random.
        batch: Crops per step.

    Raises:
        ImageError: If a photograph is smaller than the crop.
        SpecError: If the degradation's factor does not divide the crop.
    """

    def __init__(self, photographs: Photographs, degradation: Degrade, *, size: int, seed: int, batch: int) -> None:
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
        crop = random_crop(self.photographs[photograph], self.size, stream)
        return _pair(crop, self.degradation, stream, self.photographs.names[photograph])

    def _order(self, epoch: int) -> list[int]:
        if self._epoch[0] != epoch:
            order = torch.randperm(len(self.photographs), generator=generator(self.seed, "epoch", epoch))
            self._epoch = (epoch, order.tolist())
        return self._epoch[1]


class Pairs(Dataset[Pair]):
    """Whole photographs for evaluation; the noise on each depends on the seed and on its file name only.

    Args:
        photographs: The photographs, or their folder.
        degradation: ``(clean, generator) → degraded``.
        seed: Chooses the noise.

    Raises:
        ImageError: As `Photographs`, if given a folder.
    """

    def __init__(self, photographs: Photographs | Path, degradation: Degrade, seed: int) -> None:
        self.photographs = Photographs(photographs) if isinstance(photographs, Path) else photographs
        self.degradation, self.seed = degradation, seed

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: int) -> Pair:
        name = self.photographs.names[index]
        return _pair(self.photographs[index], self.degradation, generator(self.seed, name), name)


def random_crop(pixels: UInt8[Tensor, "3 h w"], size: int, generator: torch.Generator) -> UInt8[Tensor, "3 s s"]:
    """Returns a square cut out at a uniformly random place, in one of its eight symmetries."""
    top, left = (int(torch.randint(side - size + 1, (), generator=generator)) for side in pixels.shape[1:])
    symmetry = int(torch.randint(8, (), generator=generator))
    crop = pixels[:, top : top + size, left : left + size]
    crop = crop.flip(2) if symmetry >= 4 else crop
    return crop.rot90(symmetry % 4, (1, 2))


def batches(
    crops: Crops, first_step: int, last_step: int, workers: int = 0, *, pin: bool = False, part: int = 0, parts: int = 1
) -> Iterator[Batch]:
    """Yields the batch of every step in ``range(first_step, last_step)``, the same whatever the number of workers.

    The global random state is neither read nor changed. On Linux the workers share the decoded photographs.

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
    """
    if crops.batch % parts:
        raise SpecError(f"a batch of {crops.batch} cannot be shared equally by {parts} processes; use a multiple")
    size, share = crops.batch, crops.batch // parts
    firsts = (step * size + part * share for step in range(first_step, last_step))
    loader = DataLoader(
        crops,
        batch_sampler=(list(range(first, first + share)) for first in firsts),
        num_workers=workers,
        collate_fn=_stack,
        pin_memory=pin,
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
        # Without one, the loader takes a number from the global stream, and resuming would change all that follows.
        generator=torch.Generator(),
    )
    with warnings.catch_warnings():
        # The workers run one thread and take no lock that the parent's threads may hold.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        loaded = iter(loader)
    try:
        yield from loaded
    except ImageError as error:  # a worker puts its traceback before the message
        raise ImageError(str(error).strip().splitlines()[-1].rpartition("ImageError: ")[2]) from None


def factor_of(degradation: Degrade) -> int:
    """Returns how many times smaller than its target a degraded image is: the degradation's ``factor``, else 1."""
    return int(getattr(degradation, "factor", 1))


def _pair(pixels: Tensor, degradation: Degrade, stream: torch.Generator, name: str) -> Pair:
    # As the sets of super-resolution are made: rows and columns that the factor leaves over go, below and at the right.
    height, width = (side - side % factor_of(degradation) for side in pixels.shape[1:])
    target: Image = pixels[:, :height, :width].to(torch.float32).contiguous() / 255
    with _one_thread():
        # A copy, so that a degradation that works in place cannot spoil the target.
        return Pair(degradation(target.clone(), stream), target, name)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keeps sums in one order: loader workers have one thread, the main process may have many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _stack(pairs: list[Pair]) -> Batch:
    degraded, targets, names = zip(*pairs, strict=True)
    return Batch(torch.stack(degraded), torch.stack(targets), list(names))


def _decoded(paths: list[Path]) -> Generator[tuple[Path, Picture | ImageError], None, None]:
    """Yields every file in order, decoded by several threads; when closed early, drops what is still waiting."""
    threads = ThreadPoolExecutor(min(16, os.cpu_count() or 1))
    try:
        yield from zip(paths, threads.map(_read, paths), strict=True)
    finally:
        threads.shutdown(cancel_futures=True)


def _read(path: Path) -> Picture | ImageError:
    try:
        return read_pixels(path)
    except ImageError as error:
        return error


def _check_size(path: Path, shape: tuple[int, int], smallest: int) -> None:
    height, width = shape
    if min(shape) < smallest:
        raise ImageError(
            f"{path} is {width}x{height} pixels, smaller than the crop of {smallest}x{smallest}; use a smaller --crop"
        )


def _files(count: int, what: str) -> str:
    return f"{count} {'file' if count == 1 else 'files'}: {what}"


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
