"""Folders that hold pairs: degraded pictures beside what they should be, as the sets of real photographs do."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_CLEAN = frozenset({"sharp", "gt", "target", "targets", "groundtruth", "truth", "hr", "hq", "clean", "norain"})
_DEGRADED = frozenset(
    {
        *("blur", "blurred", "blurry", "noisy", "noise", "lr", "lq", "input", "inputs", "rain", "rainy"),
        *("haze", "hazy", "degraded"),
    }
)
_WORD = re.compile(r"[a-z]+")
_SCALE = re.compile(r"_?x\d+$", re.IGNORECASE)


class Pairing(NamedTuple):
    """Patterns, below a folder, of clean pictures and of degraded ones beside them."""

    clean: str
    degraded: str


def pairing(names: Sequence[str]) -> Pairing | None:
    """Returns how clean and degraded pictures lie beside each other, or nothing if they do not.

    Folders side by side such as ``blur`` and ``sharp``, ``input`` and ``target`` or ``LR`` and ``HR`` that hold files
    of the same name, or files side by side whose names differ in such a word only.

    Args:
        names: Paths of pictures below a folder.

    Example:
        >>> pairing(["one/blur/1.png", "one/sharp/1.png", "two/blur/1.png", "two/sharp/1.png"])
        Pairing(clean='*/sharp', degraded='*/blur')
        >>> pairing(["a_HR.png", "a_LR4.png"])
        Pairing(clean='*_HR.png', degraded='*_LR4.png')
    """
    return _of_folders(names) or _of_files(names)


def _of_folders(names: Sequence[str]) -> Pairing | None:
    below: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in names:
        parts = PurePosixPath(name).parts
        for at, part in enumerate(parts[:-1]):
            if _role(part):
                rest = PurePosixPath(*parts[at + 1 :]).with_suffix("")
                below["/".join(parts[:at])][part].add(_SCALE.sub("", str(rest)))
    found = set()
    for parent, folders in below.items():
        clean = [folder for folder in folders if _role(folder) == "clean"]
        for degraded in sorted((f for f in folders if _role(f) == "degraded"), key=lambda f: (len(f), f)):
            found |= {(parent, c, degraded) for c in clean if folders[c] & folders[degraded]}
    if not found:
        return None
    parent, clean_folder, degraded_folder = min(found, key=lambda each: (each[0], len(each[2]), each[1]))
    alike = {p for p, c, d in found if (c, d) == (clean_folder, degraded_folder)}
    place = parent if len(alike) == 1 else "/".join("*" for _ in PurePosixPath(parent).parts)
    start = f"{place}/" if place else ""
    return Pairing(f"{start}{clean_folder}", f"{start}{degraded_folder}")


def _of_files(names: Sequence[str]) -> Pairing | None:
    beside: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in names:
        path = PurePosixPath(name)
        for word in _WORD.finditer(path.stem.lower()):
            role = _role(word[0])
            if role and len(path.stem) > len(word[0]):
                digits = re.match(r"x?\d*", path.stem[word.end() :].lower()) if role == "degraded" else None
                end = word.end() + (len(digits[0]) if digits and word.start() else 0)
                rest = path.stem[: word.start()] + "\0" + path.stem[end:]
                places = path.parent.parts
                before = "*" if word.start() else ""
                after = "*" if path.stem[end:] else ""
                pattern = "/".join([*("*" for _ in places), before + _kept(path.stem, word.start(), end) + after])
                beside[str(path.parent), rest][role] = pattern + path.suffix
    for roles in beside.values():
        if len(roles) == 2:
            return Pairing(roles["clean"], roles["degraded"])
    return None


def _kept(stem: str, start: int, end: int) -> str:
    """Returns the word with the sign that parts it from the rest."""
    return stem[start - (1 if start else 0) : end]


def _role(name: str) -> str:
    words = set(_WORD.findall(re.sub(r"x?\d+", " ", name.lower())))
    if words & _CLEAN and not words & _DEGRADED:
        return "clean"
    return "degraded" if words & _DEGRADED and not words & _CLEAN else ""


def advice(folder: Path, found: Pairing) -> str:
    """Returns what to say of pairs in a folder whose pictures were all to be taken for clean."""
    clean, degraded = folder / found.clean, folder / found.degraded
    return (
        f"{folder} holds pairs, {found.degraded} beside {found.clean}, and its degraded pictures would be taken for "
        f"clean ones; name the clean ones by '{clean}', and to use the pairs give --degraded '{degraded}' too; "
        f"'{folder / '**'}' takes all as they are"
    )
