"""Folders of pictures: what is in them, what is passed over, and under which names results are kept."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from pdloss.errors import ImageError
from pdloss.files.spelling import spelled
from pdloss.picture_files.formats import SUFFIXES, UNREAD

_SHOWN = 5
"""Names that a sentence gives before it counts the others."""


def list_images(folder: Path, below: bool = False) -> list[Path]:
    """Returns the images that lie directly in `folder`, sorted by name; hidden files are passed over.

    Args:
        folder: Where to look.
        below: Look in the folders below it too; hidden ones are passed over, and so is one met a second time.

    Raises:
        ImageError: If the folder does not exist, is a file, cannot be looked into, or holds no image; or if all below
            it is asked for and it is a whole disk.
    """
    if not folder.is_dir():
        raise ImageError(
            f"{spelled(folder)} {'is not a folder' if folder.exists() else 'does not exist'}; name a folder of images"
        )
    if below and folder.resolve() == folder.resolve().parent:
        raise ImageError(
            f"{spelled(folder)} is a whole disk, which takes long to look through; name a folder of images"
        )
    found = sorted(path for place in _places(folder, below) for path in _images_in(place))
    if not found:
        around = [] if below else [place for place in _children(folder) if place.is_dir() and _images_in(place)]
        hint = f"; there are images one level below, in {listed([spelled(c.name) for c in around])}" if around else ""
        left = passed_over(folder, below)
        raise ImageError(
            f"{spelled(folder)} holds no image (looked for {' '.join(SUFFIXES)}){hint}{f'; {left}' if left else ''}"
        )
    return found


def passed_over(folder: Path, below: bool = False) -> str:
    """Returns which pictures of a folder are not read and why, in one sentence; nothing if all are.

    What systems leave in folders (hidden files, ``Thumbs.db``, ``desktop.ini``) and files that are no pictures are not
    worth a word; a picture of a format that is not read, and a link that leads nowhere, are.
    """
    left: dict[str, list[str]] = {}
    for place in _places(folder, below):
        for child in _children(place):
            suffix = "" if child.name.startswith(".") else child.suffix.lower()
            if suffix in SUFFIXES and child.is_symlink() and not child.exists():
                left.setdefault("the link leads nowhere", []).append(spelled(child.relative_to(folder)))
            elif suffix in UNREAD and child.is_file():
                left.setdefault(UNREAD[suffix], []).append(spelled(child.relative_to(folder)))
    count = sum(map(len, left.values()))
    reasons = "; ".join(f"{listed(names)} ({reason})" for reason, names in left.items())
    return f"{count} {'picture' if count == 1 else 'pictures'} passed over: {reasons}" if left else ""


def listed(names: Sequence[str]) -> str:
    """Returns the first names, and how many more there are.

    Example:
        >>> listed([*"abcdefg"])
        'a, b, c, d, e and 2 more'
    """
    more = len(names) - _SHOWN
    return f"{', '.join(names[:_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def _png(_: str) -> str:
    return ".png"


def written_names(names: Sequence[str], suffix: Callable[[str], str] = _png) -> dict[str, str]:
    """Returns under which name the result of each picture is kept, in the same folder below.

    The suffix becomes that of the result, ``.png`` by default. Of pictures that differ in their suffix only (or in
    case), those that have another than their result keep theirs.

    Args:
        names: Paths below a folder, with suffixes; those of pictures that are drawn have none.
        suffix: Gives each name the suffix of its result.

    Raises:
        ImageError: If two would still be written under one name.

    Example:
        >>> written_names(["one/a.jpg", "one/b.jpg", "one/b.png"])
        {'one/a.jpg': 'one/a.png', 'one/b.jpg': 'one/b.jpg.png', 'one/b.png': 'one/b.png'}
    """
    wanted = {name: suffix(name) for name in names}
    plain = {name: f"{_without_suffix(name)}{end}" for name, end in wanted.items()}
    counts = Counter(result.casefold() for result in plain.values())  # some disks do not tell a.png from A.png
    written = {
        name: result
        if counts[result.casefold()] == 1 or name.lower().endswith(wanted[name].lower())
        else f"{name}{wanted[name]}"
        for name, result in plain.items()
    }
    known: dict[str, str] = {}
    for name, result in written.items():
        if result in known:
            raise ImageError(f"{known[result]} and {name} would both be written as {result}; rename one")
        known[result] = name
    return written


def by_key(names: Sequence[str]) -> dict[str, str]:
    """Returns the names by what pairs them with those of other folders: their path below, without the suffix.

    Of names that differ in their suffix only, those that are not PNG keep it, as in `written_names`; so a folder of
    results fits the folder that they were made of.

    Example:
        >>> by_key(["one/a.jpg", "two/a.tif"])
        {'one/a': 'one/a.jpg', 'two/a': 'two/a.tif'}
    """
    return {as_png.removesuffix(".png"): name for name, as_png in written_names(names).items()}


def names_below(folder: Path, files: Sequence[Path]) -> dict[str, Path]:
    """Returns the files by their path from `folder`, as text."""
    return {spelled(file.relative_to(folder).as_posix()): file for file in files}


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else name


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ImageError(f"cannot look into {spelled(folder)}: {error.strerror}") from None


def _images_in(folder: Path) -> list[Path]:
    return [
        child
        for child in _children(folder)
        if child.suffix.lower() in SUFFIXES and not child.name.startswith(".") and child.is_file()
    ]


def _places(folder: Path, below: bool) -> Iterator[Path]:
    """Yields the folder and, with `below`, all folders below it."""
    if not below:
        yield folder
        return
    met = set()
    for place, folders, _ in os.walk(folder, followlinks=True):
        met.add(os.path.realpath(place))
        # A link to a folder above would go round for ever.
        folders[:] = [f for f in folders if not f.startswith(".") and os.path.realpath(Path(place, f)) not in met]
        yield Path(place)
