"""Memory that runs out, said in one sentence with what to do, whichever library found it out."""

import contextlib
import errno
import re
from collections.abc import Iterator

from pdloss.errors import OutOfMemoryError, UserError

_RAN_OUT = re.compile(
    r"out of memory|(can't|cannot|unable to) allocate|not enough memory|_ALLOC_FAILED|bad_alloc", re.I
)
_WANTED = re.compile(r"(?:tried|unable) to allocate ([\d.]+) ?(bytes|[KMGT]i?B)", re.I)


def ran_out(error: BaseException) -> bool:
    """Returns whether the error says that memory ran out, in the words of Python, NumPy, torch or the system.

    Example:
        >>> ran_out(MemoryError()), ran_out(RuntimeError("DefaultCPUAllocator: can't allocate memory: ..."))
        (True, True)
        >>> ran_out(RuntimeError("shapes differ"))
        False
    """
    if isinstance(error, UserError):
        return isinstance(error, OutOfMemoryError)
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_RAN_OUT.search(str(error))))


@contextlib.contextmanager
def enough_memory(what: str, cure: str) -> Iterator[None]:
    """Turns running out of memory within it into one sentence; the innermost knows best what to do.

    Args:
        what: What was being done, such as ``"training"``.
        cure: What to do, such as ``"use a smaller --batch"``.

    Raises:
        OutOfMemoryError: In place of the error that said so.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if isinstance(error, UserError) or not ran_out(error):
            raise
        wanted = _WANTED.search(str(error))
        asked = f" ({_readable(wanted[1], wanted[2])} more were asked for)" if wanted else ""
        raise OutOfMemoryError(f"memory ran out while {what}{asked}: {cure}") from error


def _readable(number: str, unit: str) -> str:
    return f"{float(number) / 2**30:.3g} GiB" if unit == "bytes" else f"{number} {unit}"
