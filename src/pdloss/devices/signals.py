"""Requests to stop: which signals are one, who heeds them and who must not."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name))
"""Ctrl-C; what containers and schedulers end a job with; a closed terminal; SLURM's early warning."""


@contextlib.contextmanager
def stop_requests(alone: bool = True) -> Iterator[threading.Event]:
    """Turns these signals into an event, to stop between two steps.

    Schedulers and launchers send the same request more than once, and it stays one request. Only a second Ctrl-C acts
    as usual. A hang-up that is ignored already, as ``nohup`` does, stays ignored.

    Args:
        alone: Whether no launcher is there to repeat Ctrl-C, as ``torchrun`` does; with one, it too stays one request.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before: dict[int, Any] = {}

    def request(number: int, frame: FrameType | None) -> None:
        event.set()
        if number == signal.SIGINT and alone:
            signal.signal(number, before[number])

    for number in SIGNALS:
        if number == getattr(signal, "SIGHUP", None) and signal.getsignal(number) == signal.SIG_IGN:
            continue
        before[number] = signal.signal(number, request)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Keeps these signals waiting, here and in the processes started meanwhile, until those call `leave_to_parent`."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The process that multiprocessing starts along with others unblocks two of them: it must be there before.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_parent() -> None:
    """Makes this process ignore them: whoever started it is asked too, and ends it in time."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
