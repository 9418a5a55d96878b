"""Processes that compute results ahead, whose every failure reaches the one who waits for them.

Each has a pipe of its own, and is asked in its turn. What goes wrong in computing a result or in handing it over comes
through the pipe instead of it; a worker that dies closes the pipe; one that keeps silent is given up in the end.
Workers leave signals that ask to stop to the process that started them, and end with it, however it ends.
"""

import atexit
import contextlib
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import cycle, islice
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import torch

from pdloss.devices.signals import held_back, leave_to_parent
from pdloss.errors import OutOfMemoryError, RunError, UserError
from pdloss.memory import ran_out

A = TypeVar("A")
T = TypeVar("T")

PATIENCE = 300.0
"""Seconds without a result after which a worker is given up; processes that train together wait longer for another."""
_AHEAD = 2
"""Results that each worker is asked for ahead."""
_SHARED = Path("/dev/shm")


class WorkerPool:
    """Worker processes; as a context, they end with it.

    They are forked on Linux and spawned elsewhere, unless `multiprocessing.set_start_method` says otherwise.

    Args:
        function: What computes a result; where processes are spawned, it is pickled.
        count: How many workers.
    """

    def __init__(self, function: Callable[[A], T], count: int) -> None:
        self._pipes: list[Connection] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._owner = os.getpid()
        atexit.register(self.close)  # before the interpreter waits for processes that heed no signal
        context = _context()
        with held_back():
            if context.get_start_method() != "fork":
                resource_tracker.ensure_running()  # lets two of the signals through, for all that is started after it
            with held_back():
                for number in range(count):
                    self._start(context, function, number)

    def _start(self, context: BaseContext, function: Callable[[Any], Any], number: int) -> None:
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(there, function, number), daemon=True)  # type: ignore[attr-defined]
        with warnings.catch_warnings():
            # The workers run one thread and take no lock that the parent's threads may hold.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            process.start()
        there.close()
        self._pipes.append(here)
        self._processes.append(process)

    def results(self, items: Iterable[A]) -> Generator[Any, None, None]:
        """Yields the result of every item, in order.

        Raises:
            RunError: If a worker died, keeps silent or finds no room in shared memory.
            Exception: What the function raised.
        """
        items = iter(items)
        turns: deque[int] = deque()
        for number, item in zip(cycle(range(len(self._pipes))), islice(items, _AHEAD * len(self._pipes)), strict=False):
            self._ask(number, item)
            turns.append(number)
        while turns:
            number = turns.popleft()
            result = self._receive(number)
            for item in islice(items, 1):
                self._ask(number, item)
                turns.append(number)
            yield result

    def close(self) -> None:
        """Ends the workers at once; a process forked meanwhile leaves them alone."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.close)
        for process in self._processes:
            process.kill()
            process.join()
        for pipe in self._pipes:
            pipe.close()
        self._processes, self._pipes = [], []

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, number: int, item: Any) -> None:
        with contextlib.suppress(ConnectionError):  # a dead worker is told of when its result is waited for
            self._pipes[number].send(item)

    def _receive(self, number: int) -> Any:
        process, pipe = self._processes[number], self._pipes[number]
        ready = connection.wait([pipe, process.sentinel], PATIENCE)
        if not ready:
            raise RunError(
                f"a loader worker has delivered nothing for {PATIENCE:g} seconds: the photographs may lie on a disk "
                "that does not answer, or the degradation may wait for something; --workers 0 does the same in the "
                "training itself, and shows where it waits"
            )
        try:
            failure, result = pipe.recv()
        except (EOFError, OSError, RuntimeError) as error:
            process.join(1)
            if process.exitcode is None:
                raise RunError(
                    f"what a loader worker prepared cannot be received ({error}); fewer --workers, or --workers 0, "
                    "need fewer open files"
                ) from error
            raise RunError(_death(process.exitcode)) from None
        if failure is not None:
            raise failure
        return result


def _context() -> BaseContext:
    chosen = multiprocessing.get_start_method(allow_none=True)
    return multiprocessing.get_context(chosen or ("fork" if sys.platform == "linux" else None))


def _death(status: int) -> str:
    """Returns what to say of a worker that ended with this status."""
    if status >= 0:
        return f"a loader worker ended by itself, with exit status {status}; --workers 0 shows why"
    cause = signal.Signals(-status).name
    if cause == "SIGKILL":
        return (
            "a loader worker was killed (SIGKILL), as the system does where memory runs out; fewer --workers, "
            "or --workers 0, need less"
        )
    if cause == "SIGBUS":
        return f"a loader worker died of {cause}: {_no_room(None)}"
    return f"a loader worker died of {cause}; --workers 0 does its work in the training itself"


def _no_room(result: object) -> str:
    """Returns what to say where shared memory is full."""
    size = f" of {shutil.disk_usage(_SHARED).total / 2**20:.0f} MiB" if _SHARED.exists() else ""
    tensors = [part for part in result if isinstance(part, torch.Tensor)] if isinstance(result, tuple) else []
    batch = f" for a batch of {sum(tensor.nbytes for tensor in tensors) / 2**20:.3g} MiB" if tensors else ""
    return (
        f"there is no room in the shared memory{size}{batch}; use --workers 0, or give more of it, "
        "such as with docker's --shm-size 2g"
    )


def _work(pipe: Connection, function: Callable[[Any], Any], number: int) -> None:
    """What a worker does: one item after the other."""
    leave_to_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    # All that is random comes from the items; should a degradation draw elsewhere, then not the same in every worker.
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002
    while True:
        result = None
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            result = function(item)
            pipe.send((None, result))
        except ConnectionError:
            return
        except Exception as error:
            pipe.send((_portable(error, result), None))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _portable(error: Exception, result: object) -> Exception:
    """Returns the error as it can be sent, in words of ours where the cause is known."""
    if isinstance(error, RuntimeError) and "</torch_" in str(error):  # torch names the shared memory so
        full = "No space left on device" in str(error)
        why = _no_room(result) if full else f"{error}; --workers 0 needs no shared memory"
        return RunError(f"a loader worker cannot hand over what it prepared: {why}")
    if ran_out(error):
        return OutOfMemoryError(
            "memory ran out while a loader worker prepared a batch: fewer --workers, a smaller --batch or smaller "
            "photographs need less"
        )
    if not isinstance(error, UserError):
        error.add_note("In a loader worker:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RunError(str(error)) if isinstance(error, UserError) else RuntimeError(error.__notes__[-1])
    return error
