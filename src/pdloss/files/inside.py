"""Names inside a folder: what a file or an option calls a name is never followed out of the folder."""

from pathlib import Path, PurePosixPath

from pdloss.errors import UserError

_LONGEST = 255
"""Bytes that a name may have on the file systems in use."""


def is_plain(name: str) -> bool:
    r"""Returns whether the text is the name of one file or folder, and no path, on any system.

    Example:
        >>> is_plain("kodak24"), is_plain("../x"), is_plain("a\\b"), is_plain(".."), is_plain("")
        (True, False, False, False, False)
    """
    return name not in ("", ".", "..") and not any(letter in name for letter in "/\\\0")


def name_inside(folder: Path, name: str, what: str = "a name") -> Path:
    """Returns the path of that name in the folder.

    Args:
        folder: What the path must not leave.
        name: The name; it may come from an option, or from a file that somebody else wrote.
        what: What to call it in the sentence, such as ``"--set"``.

    Raises:
        UserError: If it is no plain name, is too long, or a symbolic link stands there.
    """
    if not is_plain(name):
        raise UserError(
            f"{what} {name!r} is not one name inside {folder}: write it without / and \\, and not as . or .."
        )
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise UserError(f"{what} {name[:40]!r}… has more than the {_LONGEST} bytes that a name can have; shorten it")
    return refuse_link(folder / name)


def path_inside(folder: Path, relative: str, what: str = "a path") -> Path:
    """Returns the path of a file in the folder or below it, no part of which is a symbolic link.

    Args:
        folder: What the path must not leave; it may itself be a link.
        relative: The parts of the path, joined by ``/``.
        what: What to call it in the sentence.

    Raises:
        UserError: If a part is no plain name, or a symbolic link stands on the way.
    """
    if not relative or PurePosixPath(relative).is_absolute():
        raise UserError(f"{what} {relative!r} is not a path inside {folder}")
    path = folder
    for part in relative.split("/"):
        path = name_inside(path, part, what)
    return path


def refuse_link(path: Path) -> Path:
    """Returns the path.

    Raises:
        UserError: If it is a symbolic link: what is written or removed through it would lie somewhere else.
    """
    if path.is_symlink():
        raise UserError(f"{path} is a symbolic link, which is not followed here; remove it, or put a real one there")
    return path
