"""Locks on files, which the system frees with the process that took them, however it ends."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_held: set[int] = set()
"""Descriptors of the locks that this process holds, or waits for."""


def _let_go() -> None:
    """Closes, in a process just forked, the descriptors that it has of its parent's locks.

    A lock lasts as long as any descriptor of it: a child that outlives its parent would keep it. (Programs started
    anew get none of them: Python opens all files so.)
    """
    for descriptor in _held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@contextlib.contextmanager
def locked(path: Path, wait: Callable[[], object] | None = None) -> Iterator[bool]:
    """Lets one process at a time through; yields whether the system can promise that.

    Windows and some network file systems have no such locks. What stays is an empty file.

    Args:
        path: The file that stands for what is locked; made if absent, never written to.
        wait: Called when another process holds the lock, before waiting for it. By default nothing waits.

    Raises:
        BlockingIOError: If another process holds the lock and there is no `wait`.
        OSError: If the file cannot be opened, or is a symbolic link: what it leads to would not be ours.
    """
    try:
        import fcntl
    except ImportError:
        yield False
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    _held.add(descriptor)
    try:
        promised = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait is None:
                raise
            wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            promised = False
        yield promised
    finally:
        if descriptor in _held:  # not so in a process forked meanwhile
            _held.remove(descriptor)
            with contextlib.suppress(
                OSError
            ):  # closing is not enough where something forked without Python's knowledge
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
