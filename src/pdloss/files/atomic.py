"""Files and folders written whole or not at all."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pdloss.files.inside import refuse_link

# What `temporary_beside` names its file for state.safetensors: .state.safetensors.k3j_x0q9.safetensors
_TEMPORARY = re.compile(r"\.(.+(\.\w+))\.[a-z0-9_]{8}\2")


def write_atomically(path: Path, write: Callable[[Path], object], private: bool = False) -> None:
    """Calls `write` with a temporary name beside `path`, then renames the finished file to `path`.

    A crash, a full disk or a killed process leaves whatever stood at `path` before. The data reach the disk before
    the name does, so a power cut cannot leave an empty file under the final name.

    Args:
        path: Where the file shall stand; its folder is made if absent.
        write: Writes the whole file at the path it is given.
        private: Let nobody but the owner read the file, at any moment.

    Raises:
        OSError: If the file cannot be written; the temporary file is removed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # the system's word for a file where the folder should be
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from None
    try:
        with temporary_beside(path) as temporary:
            write(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            # A temporary file is private; a run folder is as open as its neighbours.
            temporary.chmod(0o600 if private else 0o666 & ~_umask())
            temporary.replace(path)
    except OSError as error:  # named after the file asked for; writing to a full disk names none at all
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def write_text(path: Path, text: str) -> None:
    """Writes a text in UTF-8, whole or not at all; what UTF-8 has no letters for, as in old file names, is spelled."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes bytes, whole or not at all."""
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yields a new empty file in the folder of `path`, readable by its owner alone; it is gone afterwards."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path, of: str | None = None) -> None:
    """Removes what `temporary_beside` left in `folder` when its process was killed; no other may be writing there.

    Args:
        folder: Where to look; nothing below it is touched.
        of: Only what was to become the file of that name.
    """
    for path in folder.glob(".*"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and of in (None, match[1]):
            path.unlink(missing_ok=True)


@contextmanager
def write_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder that becomes `path`, absent or empty until now, when all went well.

    After an exception nothing is left of it. Whoever is killed leaves it beside `path`, and the next one removes it.

    Raises:
        UserError: If a symbolic link stands where the unfinished folder is to be.
    """
    path = path.resolve()  # "." has no name
    unfinished = refuse_link(path.with_name(f".{path.name}.unfinished"))
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        if path.is_dir():
            path.rmdir()
        unfinished.rename(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
