"""Downloads one file: from where it broke off, if there is room for it, with the time left.

What has come lies in a part file, and nothing here removes it: whoever asked knows the hash that the whole must have,
and whether to keep what came. There is no need to ask the server whether its file is still the same (If-Range): one
that has changed is found by that hash, and already by its length where that is known.

Not left to pooch: it begins anew a transfer that broke off, and knows no locks between processes, no room on the disk
and no wrong length before the last byte. Files of gigabytes over bad lines want all four.
"""

import contextlib
import errno
import http.client
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from pdloss.files import locked

_CHUNK = 1 << 18
_TIMEOUT = 30.0
"""Seconds without a byte after which an address is given up."""
_EVERY = 30.0
"""Where standard error is no terminal: seconds between two lines that tell how far it is."""
_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


class TransferError(Exception):
    """An address, or none of several, gave the file; says why."""


def download(
    url: str, part: Path, *, label: str, size: int | None = None, spare: int = 0, progress: bool = True
) -> bool:
    """Makes `part` as long as what the address serves; returns whether it began with what was there before.

    A server that cannot go on in the middle is asked for the whole file, which then replaces what was there. An answer
    of another length than `size` is refused before anything is touched.

    Args:
        url: Where the file is served.
        part: File to write to; what it holds is taken for the beginning.
        label: What to call it beside the bar.
        size: Bytes of the whole file, where known for certain.
        spare: Bytes that must be free besides, for what is to be made of the file.
        progress: Whether to show the time left on standard error.

    Raises:
        TransferError: If the address does not answer, or breaks off; what came stays in `part`.
        OSError: If there is no room, found out before the first byte is written, or `part` cannot be written.
    """
    have = part.stat().st_size if part.exists() else 0
    if have and have == size:
        return True
    begin, response = _continued(url, have if size is None or have < size else 0, size)
    if response is None:
        return True
    with response:
        total = size if response.length is None else begin + response.length
        if size is not None and total != size:
            raise TransferError(f"it serves {total} bytes, expected {size}")
        if total is not None:
            check_room(part.parent, total - have + spare)
        with part.open("ab" if begin else "wb") as file, _bar(label, begin, total, progress) as advance:
            while chunk := _read(response):
                file.write(chunk)
                advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    received = part.stat().st_size
    if total is not None and received != total:
        raise TransferError(f"the transfer broke off after {received} of {total} bytes")
    return begin > 0


def check_room(folder: Path, needed: int) -> None:
    """Refuses when `folder`'s disk has less than `needed` bytes free.

    Raises:
        OSError: Naming both numbers and the folder.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(errno.ENOSPC, f"{readable(needed)} are needed and {readable(free)} are free", str(folder))


def readable(size: float) -> str:
    """Returns a number of bytes with its unit.

    Example:
        >>> readable(3530603713), readable(12345678), readable(300)
        ('3.53 GB', '12.3 MB', '300 bytes')
    """
    for unit, scale in _UNITS:
        if size >= scale:
            return f"{size / scale:.3g} {unit}" if size < 999.5 * scale else f"{size / scale:.0f} {unit}"
    return f"{size:.0f} bytes"


@contextlib.contextmanager
def alone(target: Path, progress: bool) -> Iterator[bool]:
    """Lets one process at a time through for `target`; yields whether the system can promise that.

    Where it cannot, two processes may both download: a waste, but the last rename wins whole.
    """

    def waiting() -> None:
        if progress:
            say(f"another process is fetching {target.name}; waiting for it")

    with locked(target.with_name(f".{target.name}.lock"), waiting) as held:
        yield held


def say(text: str) -> None:
    """Writes a line to standard error at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _continued(url: str, start: int, size: int | None) -> tuple[int, http.client.HTTPResponse | None]:
    """Returns from which byte on the server answers, and its answer: None if nothing is missing."""
    try:
        response = _open(url, start)
    except urllib.error.HTTPError as error:
        error.close()
        if not start or error.code != 416:
            raise TransferError(str(error)) from None
        if size is None and error.headers["Content-Range"] == f"bytes */{start}":
            return start, None
        return 0, _whole(url)
    if not start or response.status != 206:
        return 0, response
    answered = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers["Content-Range"] or "")
    if answered and int(answered[1]) == start and answered[2] in ("*", str(size or answered[2])):
        return start, response
    response.close()
    return 0, _whole(url)


def _whole(url: str) -> http.client.HTTPResponse:
    try:
        return _open(url, 0)
    except urllib.error.HTTPError as error:
        error.close()
        raise TransferError(str(error)) from None


def _open(url: str, start: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "pdloss"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
        )
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        raise TransferError(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(_reason(error)) from None
    return response


def _read(response: http.client.HTTPResponse) -> bytes:
    # Apart from the writing, so that a full disk is not taken for a broken transfer.
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(f"the transfer broke off: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


@contextlib.contextmanager
def _bar(label: str, begin: int, total: int | None, show: bool) -> Iterator[Callable[[int], None]]:
    if not show:
        yield lambda _: None
    elif not sys.stderr.isatty():
        yield _lines(label, begin, total)
    else:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
            task = bars.add_task(label, total=total, completed=begin)
            yield lambda count: bars.advance(task, count)


def _lines(label: str, begin: int, total: int | None) -> Callable[[int], None]:
    """Returns what to tell of every chunk: it writes a line now and then, as a log file wants it."""
    began = said = time.monotonic()
    done = begin

    def advance(count: int) -> None:
        nonlocal done, said
        done += count
        now = time.monotonic()
        if now - said < _EVERY and done != total:
            return
        said = now
        rate = (done - begin) / max(now - began, 1e-9)
        left = f" of {readable(total)}, {(total - done) / rate / 60:.1f} min left" if total else ""
        say(f"{label}: {readable(done)}{left}, {readable(rate)}/s")

    return advance
