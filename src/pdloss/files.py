"""Files written whole or not at all."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

# What `write_atomically` names its temporary file for state.safetensors: .state.safetensors.k3j_x0q9.safetensors
_TEMPORARY = re.compile(r"\..+(\.\w+)\.[a-z0-9_]{8}\1")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` with a temporary name beside `path`, then renames the finished file to `path`.

    A crash, a full disk or a killed process leaves whatever stood at `path` before. The data reach the disk before
    the name does, so a power cut cannot leave an empty file under the final name.

    Args:
        path: Where the file shall stand; its folder is made if absent.
        write: Writes the whole file at the path it is given.

    Raises:
        OSError: If the file cannot be written; the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp makes files private; a run folder is as open as its neighbours.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:  # named after the file asked for; writing to a full disk names none at all
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Removes what `write_atomically` left in `folder` when its process was killed; no other may be writing there."""
    for path in folder.glob(".*"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
