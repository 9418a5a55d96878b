"""Locks between processes: an empty hidden file that the system frees with whoever holds it."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pdloss.files.inside import refuse_link


class BusyError(Exception):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, wait: Callable[[], object] | None = None) -> Iterator[bool]:
    """Lets one process at a time through; yields whether the system can promise that.

    The system frees the lock with the process that holds it, however it ends; what stays is an empty file.

    Args:
        path: The lock's own file, made if absent, never written to.
        wait: Called once before waiting for another process; without it there is no waiting.

    Raises:
        BusyError: If another process holds it, and there is to be no waiting.
        UserError: If a symbolic link stands there.
        OSError: If the file cannot be made.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield False
        return
    # Made by hand rather than with open(): nothing is truncated, and no link is followed that comes in between.
    handle = os.open(refuse_link(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        held = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):  # some network file systems have no locks
                held = False
            elif wait is None:
                raise BusyError(str(path)) from None
            else:
                wait()
                fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield held
        finally:
            if held:  # closing is not enough: a process forked meanwhile holds the same open file
                fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)
