"""Degraded photographs that came with their targets, as GoPro, SIDD and RealSR do."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import UInt8
from torch import Tensor

from pdloss.datasets.contents import fingerprint
from pdloss.datasets.photographs import Photographs
from pdloss.datasets.sources import Folder, Split
from pdloss.errors import ImageError
from pdloss.picture_files.listing import listed
from pdloss.picture_files.patterns import matched
from pdloss.records import TrainedOn


class OwnPairs:
    """Targets, each with its degraded photograph; both are checked before anything is done with them.

    Which belong together is told by their paths: equal but for the suffix (``img.png`` and ``img.jpg``) or for a scale
    at the end (``0001.png`` and ``0001x4.png``), or by what the stars of two patterns stand for
    (``GOPRO/train/*/sharp`` and ``GOPRO/train/*/blur``). All degraded photographs are smaller than their targets by one
    whole factor, 1 included; rows and columns that it leaves over go from the target, below and at the right.

    Args:
        data: The targets: a folder tree, or a pattern.
        degraded: The degraded photographs: another one.
        split: Which part of a folder that holds two.
        cached: Keep the pixels, as `Photographs` does.
        skip_damaged: Leave out pairs of which one is missing, damaged or too small, instead of refusing the folders.
        smallest: Least height and width of the targets, in pixels.
        reread: As of `Photographs`.
        progress: Called with (files done, files in all) after each file.

    Raises:
        ImageError: If there is no pair, a photograph has no partner or is damaged, or sizes do not fit each other.
    """

    def __init__(
        self,
        data: Path | str,
        degraded: Path | str,
        *,
        split: Split = "train",
        cached: bool = False,
        skip_damaged: bool = False,
        smallest: int = 1,
        reread: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        targets, inputs, notes = _matched(data, degraded, split, leave_out=skip_damaged)
        count = len(targets.names)
        say = progress or (lambda done, total: None)
        self.targets = Photographs(
            targets, cached=cached, skip_damaged=skip_damaged, smallest=smallest, reread=reread,
            progress=lambda done, _: say(done, 2 * count),
        )  # fmt: skip
        self.inputs = Photographs(
            inputs, cached=cached, skip_damaged=skip_damaged, reread=reread,
            progress=lambda done, _: say(count + done, 2 * count),
        )  # fmt: skip
        self.skipped = {**self.targets.skipped, **self.inputs.skipped}
        """Names of the files left out, with the reason."""
        self.notes = [*notes, *self.targets.notes, *(f"degraded: {note}" for note in self.inputs.notes)]
        places, input_places = ({name: at for at, name in enumerate(p.names)} for p in (self.targets, self.inputs))
        self._places = [
            (places[name], input_places[partner])
            for name, partner in zip(targets.names, inputs.names, strict=True)
            if name in places and partner in input_places
        ]
        if not self._places:
            raise ImageError(
                f"no pair of {targets.place} and {inputs.place} is left: {next(iter(self.skipped.values()))}"
            )
        self.folder = self.targets.folder
        self.names = [self.targets.names[place] for place, _ in self._places]
        """Paths of the targets from their folder, in order."""
        self.factor = self._checked_factor()
        """How many times smaller the degraded photographs are."""

    @property
    def contents(self) -> dict[str, str]:
        """The SHA-256 of each file's content: of the targets, then of their degraded photographs in the same order."""
        targets, inputs = self.targets.contents, self.inputs.contents
        partners = [self.inputs.names[partner] for _, partner in self._places]
        return {name: targets[name] for name in self.names} | {f"degraded: {name}": inputs[name] for name in partners}

    @property
    def fingerprint(self) -> str:
        """``contents:`` and the SHA-256 over names and contents of both halves, wherever they lie."""
        return fingerprint(self.contents)

    @property
    def fingerprint_by_size(self) -> str:
        """None, since version 0.1.0 knew no pairs."""
        return ""

    @property
    def trained_on(self) -> TrainedOn:
        """What a run keeps of them."""
        return TrainedOn(images=self.hashes, contents=self.contents)

    @property
    def hashes(self) -> dict[str, str]:
        """Each target's `picture_hash`."""
        return {name: self.targets.hashes[name] for name in self.names}

    @property
    def smallest_side(self) -> int:
        """The least height or width among the targets."""
        return min(min(self.targets.shapes[place]) for place, _ in self._places)

    def check_crop(self, size: int) -> None:
        """Refuses a crop that some target is too small for.

        Raises:
            ImageError: Naming the first such file, its size and the crop.
        """
        self.targets.check_crop(size)
        for place, partner in self._places:
            if self.factor * min(self.inputs.shapes[partner]) < size:
                name = self.targets.names[place]
                raise ImageError(
                    f"{self.folder / name} is smaller than the crop of {size}x{size}, once cut to {self.factor} times "
                    "its degraded photograph; use a smaller --crop"
                )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[UInt8[Tensor, "3 h2 w2"], UInt8[Tensor, "3 h w"]]:
        place, partner = self._places[index]
        degraded, target = self.inputs[partner], self.targets[place]
        height, width = (self.factor * side for side in degraded.shape[1:])
        return degraded, target[:, :height, :width]

    def crop(
        self, index: int, size: int, generator: torch.Generator
    ) -> tuple[UInt8[Tensor, "3 s2 s2"], UInt8[Tensor, "3 s s"]]:
        """Returns the same square of both, at a uniformly random place, in one of its eight symmetries.

        Args:
            index: Of the pair.
            size: Side of the target's crop, a multiple of the factor.
            generator: Chooses place and symmetry.
        """
        degraded, target = self[index]
        side, factor = size // self.factor, self.factor
        top, left = (int(torch.randint(length - side + 1, (), generator=generator)) for length in degraded.shape[1:])
        symmetry = int(torch.randint(8, (), generator=generator))
        return (
            square(degraded, top, left, side, symmetry),
            square(target, factor * top, factor * left, size, symmetry),
        )

    def _checked_factor(self) -> int:
        factors: dict[int, str] = {}
        for place, partner in self._places:
            target = _Sized(self.folder / self.targets.names[place], *self.targets.shapes[place])
            degraded = _Sized(self.inputs.folder / self.inputs.names[partner], *self.inputs.shapes[partner])
            factors.setdefault(_factor(target, degraded), f"{target} pixels and {degraded}")
        if len(factors) > 1:
            raise ImageError(f"the pairs differ in scale: {', but '.join(factors.values())}; give one scale at a time")
        return next(iter(factors))


def square(pixels: UInt8[Tensor, "3 h w"], top: int, left: int, size: int, symmetry: int) -> UInt8[Tensor, "3 s s"]:
    """Returns a square cut out at a place, in one of its eight symmetries: quarter turns, from 4 on mirrored first."""
    crop = pixels[:, top : top + size, left : left + size]
    crop = crop.flip(2) if symmetry >= 4 else crop
    return crop.rot90(symmetry % 4, (1, 2))


def first_factor(data: Path | str, degraded: Path | str, split: Split = "train", leave_out: bool = False) -> int:
    """Returns how many times smaller than its target the first degraded photograph is, before all are read.

    Pairs that cannot be read are passed over: `OwnPairs` says of them what is to be said. Of no other, 1 is returned.

    Args:
        data: The targets.
        degraded: The degraded photographs.
        split: As in `OwnPairs`.
        leave_out: Whether those without a partner may be.

    Raises:
        ImageError: As `OwnPairs`, as far as it shows so early.
    """
    targets, inputs, _ = _matched(data, degraded, split, leave_out)
    for name, partner in zip(targets.names, inputs.names, strict=True):
        try:
            shapes = [source.picture(each).pixels.shape for source, each in ((targets, name), (inputs, partner))]
        except ImageError:
            continue
        return _factor(*(
            _Sized(source.folder / each, *shape[1:])
            for source, each, shape in zip((targets, inputs), (name, partner), shapes, strict=True)
        ))  # fmt: skip
    return 1


class _Sized(NamedTuple):
    """A file and its size."""

    path: Path
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.path} of {self.width}x{self.height}"


def _factor(target: _Sized, degraded: _Sized) -> int:
    """Returns how many times smaller the degraded one is.

    Raises:
        ImageError: If that is no whole number.
    """
    factor = target.height // degraded.height
    if factor < 1 or (target.height // factor, target.width // factor) != (degraded.height, degraded.width):
        raise ImageError(
            f"{target} pixels and {degraded} do not fit: a degraded photograph has its target's size, or is smaller by "
            "a whole factor"
        )
    return factor


def _matched(data: Path | str, degraded: Path | str, split: Split, leave_out: bool) -> tuple[Folder, Folder, list[str]]:
    """Returns the targets and the degraded photographs, partner beside partner, and what was left out.

    Raises:
        ImageError: If there is no pair; or, unless they are to be left out, if a photograph has no partner.
    """
    targets, inputs = Folder(Path(data), split), Folder(Path(degraded), split, paired=True)
    found = matched(targets.pictures, inputs.pictures)
    alone = [
        f"{folder.place} alone has {listed(names)}"
        for folder, names in ((targets, found.alone), (inputs, found.others_alone))
        if names
    ]
    rule = "photographs are paired by their paths without the suffix, or by what the stars of two patterns stand for"
    if not found.pairs:
        raise ImageError(
            f"nothing in {inputs.place} belongs to anything in {targets.place}: {'; '.join(alone)}; {rule}"
        )
    if alone and not leave_out:
        raise ImageError(f"{'; '.join(alone)}; {rule}: add or remove some, or leave them out with --skip-damaged")
    targets.names, inputs.names = (list(names) for names in zip(*found.pairs, strict=True))
    return targets, inputs, [f"left out, having no partner: {each}" for each in alone]
