"""Locks between processes: an empty hidden file that the system frees with whoever holds it, however it ends."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pdloss.errors import RunError
from pdloss.files.inside import refuse_link

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
def locked(path: Path, wait: Callable[[], object] | None = None, *, busy: str = "") -> Iterator[bool]:
    """Lets one process at a time through; yields whether the system can promise that.

    Windows and some network file systems have no such locks. What stays is an empty file.

    Args:
        path: The lock's own file, made if absent, never written to.
        wait: Called once before waiting for another process; without it there is no waiting.
        busy: What to say then, if another process holds it.

    Raises:
        RunError: If another process holds it, and there is to be no waiting.
        UserError: If a symbolic link stands there.
        OSError: If the file cannot be made.
    """
    try:
        import fcntl
    except ImportError:
        yield False
        return
    # Made by hand rather than with open(): nothing is truncated, and no link is followed that comes in between.
    descriptor = os.open(refuse_link(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    _held.add(descriptor)
    try:
        held = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                held = False
            elif wait is None:
                raise RunError(busy or f"another process holds {path}") from None
            else:
                wait()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield held
    finally:
        if descriptor in _held:  # not so in a process forked meanwhile
            _held.remove(descriptor)
            with contextlib.suppress(OSError):  # closing is not enough where something forked unknown to Python
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
