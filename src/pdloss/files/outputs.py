"""Files written where users have their own: nothing is replaced but what was written here before.

What was written is noted in ``.pdloss.jsonl`` in the same folder, a line for each file with its SHA-256. A file that
stands there already is ours if its name and content are in that list; any other, one of ours that was changed since
too, is replaced only on request.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pdloss.errors import UserError
from pdloss.files.checksums import checksum

WRITTEN = ".pdloss.jsonl"
"""Name of the list in a folder of what was written there."""


@contextmanager
def output(*paths: Path | None, overwrite: bool = False, option: str = "--out") -> Iterator[None]:
    """Refuses, before any work, to write over what is not ours; afterwards notes what was written.

    Args:
        *paths: The files that are going to be written inside the ``with``; None stands for one that is not wanted.
        overwrite: Replace whatever file stands there.
        option: What chooses another place, for the sentence.

    Raises:
        UserError: If one is a folder, or could not be written; or is there already, was not written here, and is not
            to be replaced.
    """
    wanted = [path for path in paths if path is not None]
    for path in wanted:
        refuse_unwritable(path, option)
        if path.is_dir():
            raise UserError(f"{path} is a folder; name a file, or choose another {option}")
        if not overwrite and os.path.lexists(path) and (why := _foreign(path)):
            raise UserError(f"{path} {why}; choose another {option}, or give --overwrite to replace it")
    before = {path: _state(path) for path in wanted}
    try:
        yield
    finally:
        _note([path for path in wanted if _state(path) not in (None, before[path])])


def refuse_unwritable(path: Path, option: str = "--out") -> None:
    """Refuses a file that could not be written; nothing is made to find that out.

    Raises:
        UserError: If its name is too long, or the folder that it would lie or be made in is a file or write-protected.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; choose another {option}") from None
    folder = next(each for each in (*path.parents, Path()) if os.path.lexists(each))
    if not folder.is_dir():
        raise UserError(f"{path} cannot be written: {folder} is no folder; choose another {option}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{path} cannot be written: {folder} is write-protected for you; choose another {option}")


def _foreign(path: Path) -> str:
    """Returns why a file that is there is not ours to replace; empty if it is."""
    known = _written(path.parent).get(path.name)
    if known is None or path.is_symlink() or not path.is_file():
        return "exists already, and pdloss did not write it"
    return "" if checksum(path) == known else "was changed since pdloss wrote it"


def _written(folder: Path) -> dict[str, str]:
    """Returns SHA-256 by name of what was written in the folder; a list that cannot be read knows nothing."""
    found: dict[str, str] = {}
    with suppress(OSError), _list(folder, os.O_RDONLY) as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError, RecursionError):  # cut off, or not ours
                entry = json.loads(line)
                found[str(entry["name"])] = str(entry["sha256"])
    return found


def _note(paths: list[Path]) -> None:
    """Adds the files to the lists of their folders; where that fails, they will have to be replaced by request."""
    for path in paths:
        entry = {"name": path.name, "sha256": checksum(path)}
        with suppress(OSError), _list(path.parent, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
            file.write(json.dumps(entry).encode() + b"\n")


def _list(folder: Path, flags: int) -> IO[bytes]:
    """Opens the list; a symbolic link is not followed."""
    handle = os.open(folder / WRITTEN, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    return os.fdopen(handle, "ab" if flags & os.O_APPEND else "rb")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
