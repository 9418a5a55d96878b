"""Takes the images out of one folder of a zip or tar archive, and nothing else.

A file is written under the last part of its name only, so that no archive reaches outside the folder it is given;
links, devices and names that mean something to the system are refused.
"""

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from pdloss.files import is_plain
from pdloss.limits import ARCHIVE_LEAST, ARCHIVE_MEMBERS, ARCHIVE_RATIO


class ArchiveError(Exception):
    """An archive is damaged, or is not what was expected; says why."""


class _Member(NamedTuple):
    path: PurePosixPath
    regular: bool
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, inside: str, folder: Path, suffixes: Sequence[str]) -> dict[str, int]:
    """Writes the files that lie directly in the folder `inside` of the archive, and returns their sizes by name.

    Hidden files and those with another suffix are left out. Every file reaches the disk before this returns.

    Args:
        archive: A zip, or a tar compressed or not: the content tells.
        inside: A folder in the archive, such as ``"BSR/BSDS500/data/images/train"``.
        folder: Where to write to; made by this, and left to the caller to remove when something fails.
        suffixes: Lower-case suffixes of the files to take.

    Raises:
        ArchiveError: If it is no archive, is damaged, or holds a link, a bad name or a name twice in that folder; if it
            has more members, or unpacks to more, than any honest one.
        OSError: If something cannot be written.
    """
    folder.mkdir()
    sizes: dict[str, int] = {}
    most = max(ARCHIVE_LEAST, ARCHIVE_RATIO * archive.stat().st_size)
    members = _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)
    try:
        for seen, member in enumerate(members, start=1):
            name = member.path.name
            if seen > ARCHIVE_MEMBERS:
                raise ArchiveError(f"it has more than {ARCHIVE_MEMBERS:,} members")
            if str(member.path.parent) != inside or name.startswith("."):
                continue
            if member.path.suffix.lower() not in suffixes:
                continue
            _check(member, sizes)
            sizes[name] = _write(member, folder / name, most - sum(sizes.values()))
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError) as error:
        raise ArchiveError(f"it is no archive, or damaged: {error or type(error).__name__}") from None
    return sizes


def _check(member: _Member, taken: dict[str, int]) -> None:
    if not member.regular:
        raise ArchiveError(f"{member.path} in it is no plain file")
    if ":" in member.path.name or not is_plain(member.path.name):  # a colon makes a path on some systems
        raise ArchiveError(f"{str(member.path)!r} in it is no plain name")
    if member.path.name in taken:
        raise ArchiveError(f"it holds {member.path} twice")


def _write(member: _Member, target: Path, most: int) -> int:
    source = member.open()
    if source is None:
        raise ArchiveError(f"{member.path} in it is no plain file")
    with source, target.open("xb") as file:
        while chunk := source.read(1 << 20):
            if (most := most - len(chunk)) < 0:
                raise ArchiveError(
                    f"it unpacks to more than {ARCHIVE_RATIO} times its own size, which photographs do not: not written"
                )
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)  # 0 where the writer's system has no such kinds
            regular = not entry.is_dir() and kind in (0, stat.S_IFREG)
            yield _Member(PurePosixPath(entry.filename), regular, partial(archive.open, entry))


def _tar_members(path: Path) -> Iterator[_Member]:
    with tarfile.open(path, "r:*") as archive:
        for entry in archive:
            yield _Member(PurePosixPath(entry.name), entry.isreg(), partial(archive.extractfile, entry))
