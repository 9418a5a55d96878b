r"""Which pictures a user means: those of a folder tree, or those whose path fits a pattern, and which belong together.

A pattern is a path in which ``*`` stands for any letters of one name, ``?`` for one, and ``**`` for any folders: of
``GOPRO/train/*/sharp`` the sharp pictures of every scene, of ``SIDD/Data/*/GT_SRGB_*.PNG`` the clean ones. Two pictures
of two patterns belong together if the stars stand for the same in both.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pdloss.errors import ImageError
from pdloss.files.spelling import as_path, spelled
from pdloss.picture_files.listing import by_key, list_images, listed, names_below, passed_over

_WILD = re.compile(r"[*?]")
_TRANSLATED = {"**/": "(?:(.*)/)?", "**": "(.*)", "*": "([^/]*)", "?": "([^/])"}
_SCALE = re.compile(r"_?x\d+$", re.IGNORECASE)


class Pictures(NamedTuple):
    """Files of pictures, by name."""

    root: Path
    """The folder that names are paths from; of a pattern, the last before the first star."""
    files: dict[str, Path]
    """By the path from `root`, as text, in order."""
    keys: dict[str, str]
    """Names by what pairs them with others: the path without its suffix; of a pattern, what the stars stand for."""
    note: str
    """What was passed over; empty if nothing was."""
    called: str
    """What the user named, as text."""


class Matches(NamedTuple):
    """Which pictures of two collections belong together."""

    pairs: list[tuple[str, str]]
    """Names of the one and the other, in the order of the one."""
    alone: list[str]
    """Names of the one that have no partner."""
    others_alone: list[str]


def pictures_of(path: Path) -> Pictures:
    """Returns the pictures of a folder and of those below it, or those that fit a pattern.

    Raises:
        ImageError: If there is none.
    """
    if not path.exists() and as_path(str(path)).exists():
        path = as_path(str(path))  # as records have it
    if path.exists() or not is_pattern(path):
        files = names_below(path, list_images(path, below=True))
        return Pictures(path, files, by_key(list(files)), passed_over(path, below=True), spelled(path))
    root = _root(path)
    wild = "/".join(path.parts[len(root.parts) :])
    all_files = names_below(root, list_images(root, below=True))
    fits = _expression(wild)
    found = {name: _captured(match) for name in all_files if (match := fits.fullmatch(name))}
    if not found:
        raise ImageError(
            f"no image below {spelled(root)} fits {wild}; there are {listed(list(all_files))}, and * stands for any "
            "part of one name, ** for any folders"
        )
    names: dict[str, str] = {}
    for name, captured in found.items():
        if captured in names:
            raise ImageError(f"{names[captured]} and {name} fit {spelled(path)} alike, so nothing tells them apart")
        names[captured] = name
    keys = {key: names[captured] for key, captured in by_key(list(names)).items()}
    return Pictures(root, {name: all_files[name] for name in found}, keys, "", spelled(path))


def is_pattern(path: Path) -> bool:
    """Returns whether a path that does not exist has stars in it."""
    return bool(_WILD.search(str(path))) and not path.exists()


def set_name(path: Path) -> str:
    """Returns what a set is called unless the user says: as its folder is; of a pattern, that before the first star.

    Example:
        >>> set_name(Path("/sets/kodak")), set_name(Path("GOPRO/test/*/sharp"))
        ('kodak', 'test')
    """
    return spelled(_root(path).resolve().name)


def matched(ones: Pictures, others: Pictures) -> Matches:
    """Returns which pictures belong together.

    By what stars stand for, or by the path without the suffix; or by that, where the other's name ends in a scale, as
    in ``0001x4.png``. Of these, the rule by which most find a partner.
    """
    ways = [
        (ones.keys, others.keys),
        (by_key(list(ones.files)), by_key(list(others.files))),
        (ones.keys, _without_scale(others.keys)),
    ]
    keys, other_keys = max(ways, key=lambda way: len(way[0].keys() & way[1].keys()))
    partners = {name: other_keys[key] for key, name in keys.items() if key in other_keys}
    taken = set(partners.values())
    return Matches(
        [(name, partners[name]) for name in ones.files if name in partners],
        [name for name in ones.files if name not in partners],
        [name for name in others.files if name not in taken],
    )


def _root(path: Path) -> Path:
    """Returns the last folder before the first star; what exists is no pattern."""
    if not is_pattern(path):
        return path
    return Path(*path.parts[: next(at for at, part in enumerate(path.parts) if _WILD.search(part))])


def _without_scale(keys: Mapping[str, str]) -> dict[str, str]:
    return {_SCALE.sub("", key): name for key, name in keys.items()}


def _expression(wild: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wild)
    return re.compile("".join(_TRANSLATED.get(part) or re.escape(part) for part in parts) + "(?:/(.*))?", re.DOTALL)


def _captured(match: re.Match[str]) -> str:
    return "/".join(part for part in match.groups() if part)
