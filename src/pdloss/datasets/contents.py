"""What the files of a source hold, as digests: remembered with what betrays a change, and so cheap to ask again.

A file is read anew when its size, its times or its inode differ from those remembered. The time of the inode's change
(ctime) is among them: copying another picture over a file with its time stamp (``cp -p``) keeps size and time of
change, and gives it away.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from pdloss.assets import cache_folder
from pdloss.datasets.sources import Source
from pdloss.errors import RunError
from pdloss.files.checksums import checksum
from pdloss.files.spelling import spelled
from pdloss.records import Record, read_record, write_record

_RESTED = 2 * 10**9
"""Nanoseconds for which a file must not have changed: within a tick of the clock, a second change would not show."""

Stamp = tuple[int, int, int, int]
"""Size, time of change, inode, time of the inode's change."""


class Remembered(Record, frozen=True, kw_only=True):
    """Digests of files by their path, each with the stamp under which it was taken."""

    sealed: ClassVar[bool] = True
    files: dict[str, tuple[Stamp, str]]


def stamps(source: Source, name: str) -> list[Stamp]:
    """Returns the stamps of all files that an image is read from."""
    return [_stamp(path) for path in source.files(name)]


def contents(source: Source, reread: bool = False) -> dict[str, str]:
    """Returns a SHA-256 of each image's content: of its file, or of all that a drawn one depends on.

    Of a file that cannot be read there is none; decoding says why.

    Args:
        source: The images.
        reread: Trust nothing that is remembered.
    """
    paths = {name: source.files(name) for name in source.names}
    digests = _digests({path for several in paths.values() for path in several}, source.place, reread)
    return {name: _joined(source, name, [digests[path] for path in several]) for name, several in paths.items()}


def fingerprint(contents: Mapping[str, str]) -> str:
    """Returns ``contents:`` and the SHA-256 over names and contents."""
    return f"contents:{digest(contents)}"


def digest(values: Mapping[str, str]) -> str:
    """Returns the SHA-256 over names and what is known of each, in their order."""
    return hashlib.sha256("".join(f"{name}\0{value}\n" for name, value in values.items()).encode()).hexdigest()


def place(where: str | Path) -> str:
    """Returns how the cache calls the `place` of a source: two patterns in one folder are two places."""
    return hashlib.sha256(os.path.realpath(where).encode(errors="surrogateescape")).hexdigest()[:16]


def _joined(source: Source, name: str, digests: list[str]) -> str:
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests or [source.identity(name)]).encode()).hexdigest()


def _digests(paths: Iterable[Path], where: str, reread: bool) -> dict[Path, str]:
    memory = cache_folder() / "decoded" / f"{place(where)}.json"
    known = {} if reread else _recalled(memory)
    found = {path: (spelled(path.absolute()), _stamp(path)) for path in sorted(paths)}
    digests = {path: known[key][1] for path, (key, now) in found.items() if key in known and known[key][0] == now}
    unknown = [path for path in found if path not in digests]
    if not unknown:
        return digests
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        digests |= zip(unknown, pool.map(_sha256, unknown), strict=True)
    latest = time.time_ns() - _RESTED
    rested = {
        key: (now, digests[path])
        for path, (key, now) in found.items()
        if digests[path] and max(now[1], now[3]) < latest and _stamp(path) == now
    }
    with contextlib.suppress(OSError):  # what cannot be remembered is read again
        write_record(memory, Remembered(files=rested))
    return digests


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0, 0
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns


def _recalled(memory: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        return read_record(memory, Remembered).files
    except RunError:  # none yet, or damaged
        return {}


def _sha256(path: Path) -> str:
    try:
        return checksum(path)
    except OSError:
        return ""
