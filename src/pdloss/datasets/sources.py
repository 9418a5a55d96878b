"""Where images come from: a folder tree, or a text such as ``deadleaves(images=400)``."""

import re
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pdloss.assets import sha256
from pdloss.datasets.deadleaves import DeadLeaves
from pdloss.errors import ImageError
from pdloss.images import Picture, read_pixels
from pdloss.picture_files import SUFFIXES
from pdloss.picture_files.layouts import advice, pairing
from pdloss.picture_files.patterns import is_pattern, pictures_of
from pdloss.specs import Family

DRAWERS = Family("source of pictures", (DeadLeaves,), own=None)
"""What can be drawn, other than read from a folder."""

_CALL = re.compile(r"\w+\(.*\)", re.DOTALL)

Split = Literal["train", "valid"]
"""Which part of a set that lies in two: the names are those of `pdloss data get`."""

_SUBFOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("DIV2K_train_HR", "train"),
    "valid": ("DIV2K_valid_HR", "valid", "val", "test"),
}


@runtime_checkable
class Source(Protocol):
    """Images by name; each can be had at any time, in any order, by several threads at once."""

    folder: Path
    """Where the images are, for messages."""
    place: str
    """What tells these images from others in the same folder: the pattern, or else the folder."""
    names: list[str]
    note: str
    """What to say of where they were found; empty if that is what was asked for."""

    def picture(self, name: str) -> Picture:
        """Returns one image, decoded.

        Raises:
            ImageError: If it cannot be.
        """

    def identity(self, name: str) -> str:
        """Returns all that a drawn image depends on; of one that is read, its size, as version 0.1.0 knew it."""

    def files(self, name: str) -> list[Path]:
        """Returns the files that an image is read from; none of one that is drawn."""


class Folder:
    """The images of a folder and of the folders below it, or those that fit a pattern, by their path from there.

    Of a folder that holds no images but the two parts of DIV2K, or ``train`` and ``valid`` (``val``, ``test``), the
    part asked for.

    Args:
        path: The folder, or a pattern such as ``GOPRO/train/*/sharp`` (see `pdloss.picture_files.patterns`).
        split: The part.
        paired: Whether each image is known to be one of a pair, so that others beside it do not matter.

    Raises:
        ImageError: If there is no image, or the folder holds pairs, of which some would be taken for clean.
    """

    def __init__(self, path: Path, split: Split, paired: bool = False) -> None:
        part = _part(path, split)
        self.pictures = pictures_of(part or path)
        self.folder, self.place = self.pictures.root, self.pictures.called
        self.names = list(self.pictures.files)
        if not paired and not is_pattern(path) and (found := pairing(self.names)):
            raise ImageError(advice(self.folder, found))
        notes = f"takes the images of {part}" if part else "", self.pictures.note
        self.note = "; ".join(filter(None, notes))

    def picture(self, name: str) -> Picture:
        """Returns the decoded file."""
        return read_pixels(self.pictures.files[name])

    def identity(self, name: str) -> str:
        """Returns the file's size."""
        return str(self.pictures.files[name].stat().st_size)

    def files(self, name: str) -> list[Path]:
        """Returns the one file."""
        return [self.pictures.files[name]]


class Drawn:
    """Pictures that a program draws, by their number.

    Args:
        choice: What draws them.
    """

    def __init__(self, choice: DeadLeaves) -> None:
        self.choice, self.note = choice, ""
        self.folder = Path(str(choice))
        self.place = str(choice)
        self.names = [f"{index:06d}" for index in range(choice.images)]
        palette = Path(choice.palette)
        self._identity = choice.in_full() + (sha256(palette) if palette.is_file() else "")

    def picture(self, name: str) -> Picture:
        """Returns the picture, drawn anew."""
        return Picture(self.choice.image(int(name)), "")

    def identity(self, name: str) -> str:
        """Returns all that the pictures depend on."""
        return self._identity

    def files(self, name: str) -> list[Path]:
        """Returns no file."""
        return []


def source(text: str | Path, split: Split = "train") -> Source:
    """Returns the source that a text or path names.

    Args:
        text: A folder, or a choice such as ``"deadleaves(images=400)"``.
        split: Which part of a folder that holds two.

    Raises:
        ImageError: If the folder does not exist or holds no image.
        SpecError: If the choice has an option that it does not know.
    """
    drawn = isinstance(text, str) and (text in DRAWERS.table or _CALL.fullmatch(text))
    if drawn and not Path(text).is_dir():
        choice = DRAWERS.parse(str(text))
        assert isinstance(choice, DeadLeaves)
        return Drawn(choice)
    return Folder(Path(text), split)


def _part(path: Path, split: Split) -> Path | None:
    part = next((path / name for name in _SUBFOLDERS[split] if (path / name).is_dir()), None)
    if part is None or any(child.suffix.lower() in SUFFIXES for child in path.iterdir()):
        return None
    # A folder called "test" or "val" may hold anything; beside "train" it is what its name says.
    return part if part.name not in ("val", "test") or (path / "train").is_dir() else None
