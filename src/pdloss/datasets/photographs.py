"""The images of a source, checked one and all."""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor

from pdloss.datasets.contents import contents, digest, fingerprint, stamps
from pdloss.datasets.decoded import ImageInfo, Mapped, decode_all, file_for, read_list, write
from pdloss.datasets.sources import Source, Split, source
from pdloss.errors import ImageError
from pdloss.records import TrainedOn

_LEAVES_OUT = "--skip-damaged leaves such files out"


class Photographs:
    """The images of a source, checked one and all before anything is done with them.

    Every file is decoded once when the object is made, so damage shows before training and not hours into it. With
    `cached`, the decoded pixels are kept in one file of the cache, from which they are read ever after, by this run
    and by later ones; else each file is decoded anew whenever it is asked for.

    Args:
        data: A folder tree, a pattern, a text such as ``"deadleaves(images=400)"``, or the source that one names.
        split: Which part of a folder that holds two, such as DIV2K's.
        cached: Keep the pixels, for images that are asked for again and again.
        skip_damaged: Leave damaged and too small images out, listed in `skipped`, instead of refusing the folder.
        smallest: Least height and width, in pixels.
        part: What must fit into every image, for the sentence.
        reread: Read every file's content to tell whether it changed, instead of trusting its size, times and inode.
        progress: Called with (files done, files in all) after each file.

    Raises:
        ImageError: If there is no usable image, or one that is damaged or too small.
    """

    def __init__(
        self,
        data: Path | str | Source,
        *,
        split: Split = "train",
        cached: bool = False,
        skip_damaged: bool = False,
        smallest: int = 1,
        part: str = "crop",
        reread: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        self.source: Source = source(data, split) if isinstance(data, str | Path) else data
        self.folder, self._reread = self.source.folder, reread
        self.skipped: dict[str, str] = {}
        """Names of the files left out, with the reason."""
        done, cure = 0, "use a smaller --crop" if part == "crop" else _LEAVES_OUT

        def accept(info: ImageInfo) -> None:
            nonlocal done
            small = "" if info.problem else _too_small(self.folder / info.name, info.shape, smallest, part)
            if problem := info.problem or small:
                if not skip_damaged:
                    raise ImageError(f"{problem}; {cure if small else _LEAVES_OUT}")
                self.skipped[info.name] = problem
            done += 1
            if progress:
                progress(done, len(self.source.names))

        found, uncached = self._found(cached, accept)
        self._images = [(place, info) for place, info in enumerate(found) if info.name not in self.skipped]
        self.names = [info.name for _, info in self._images]
        """Paths from the folder, with their suffix, sorted."""
        if not self.names:
            raise ImageError(f"{self.folder} holds no usable image; the first: {next(iter(self.skipped.values()))}")
        notes = Counter(note for _, info in self._images for note in info.note.split("; ") if note)
        self.notes = [note for note in (self.source.note, uncached) if note]
        """What is worth saying, such as ``"12 files: alpha dropped"``."""
        self.notes += [f"{count} {'file' if count == 1 else 'files'}: {note}" for note, count in notes.most_common()]

    def _found(self, cached: bool, accept: Callable[[ImageInfo], object]) -> tuple[list[ImageInfo], str]:
        """Returns what was found, and why the pixels are not kept though they should be."""
        self._mapped: Mapped | None = None
        if not cached:
            return [info for info, _ in decode_all(self.source, accept)], ""
        before = {name: stamps(self.source, name) for name in self.source.names}
        path, problem = file_for(self.source, self._contents), ""
        found = read_list(path)
        if found is None:
            found, problem = write(path, decode_all(self.source, accept))
            if changed := [name for name, stamp in before.items() if stamps(self.source, name) != stamp]:
                path.unlink(missing_ok=True)
                raise ImageError(f"{self.folder / changed[0]} changed while the photographs were read; start again")
        else:
            for info in found:
                accept(info)
        if not problem:
            self._mapped = Mapped(path, found)
            return found, ""
        return found, (
            f"the decoded images cannot be kept in {path.parent} ({problem}), so each is decoded whenever it is asked "
            "for; PDLOSS_CACHE names another folder"
        )

    @cached_property
    def _contents(self) -> dict[str, str]:
        return contents(self.source, self._reread)

    @property
    def contents(self) -> dict[str, str]:
        """The SHA-256 of each image's content."""
        return {name: self._contents[name] for name in self.names}

    @property
    def fingerprint(self) -> str:
        """``contents:`` and the SHA-256 over names and contents of the images in use, wherever they lie."""
        return fingerprint(self.contents)

    @property
    def fingerprint_by_size(self) -> str:
        """The SHA-256 over names and sizes of the images in use: all that runs of version 0.1.0 know theirs by."""
        return digest({name: self.source.identity(name) for name in self.names})

    @property
    def hashes(self) -> dict[str, str]:
        """Each image's `picture_hash`."""
        return {info.name: info.hash for _, info in self._images}

    @property
    def trained_on(self) -> TrainedOn:
        """What a run keeps of them."""
        return TrainedOn(images=self.hashes, contents=self.contents)

    def check_crop(self, size: int) -> None:
        """Refuses a crop that some photograph is too small for.

        Raises:
            ImageError: Naming the first such file, its size and the crop.
        """
        for _, info in self._images:
            if problem := _too_small(self.folder / info.name, info.shape, size):
                raise ImageError(f"{problem}; use a smaller --crop")

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Height and width of each, in the order of `names`."""
        return [info.shape for _, info in self._images]

    @property
    def smallest_side(self) -> int:
        """The least height or width among the photographs."""
        return min(map(min, self.shapes))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> UInt8[Tensor, "3 h w"]:
        place, info = self._images[index]
        return self.source.picture(info.name).pixels if self._mapped is None else self._mapped[place]


def _too_small(path: Path, shape: tuple[int, int], smallest: int, part: str = "crop") -> str:
    height, width = shape
    if min(shape) >= smallest:
        return ""
    return f"{path} is {width}x{height} pixels, smaller than the {part} of {smallest}x{smallest}"
