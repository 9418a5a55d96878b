"""The order of a sweep, whatever does its jobs: each starts when all before it are done; a crash is tried again."""

import contextlib
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pdloss.sweeps.jobs import Job

State = Literal["waiting", "running", "done", "failed", "stopped"]

USER_ERRORS = (1, 2)
"""Exit statuses that a second try cannot change: what the user can put right, and wrong usage."""

POLL = 0.2
# Seconds between two looks at the processes.


@dataclass
class QueuedJob:
    """What became of one job in this call."""

    job: Job
    state: State = "waiting"
    tries: int = 0
    slot: int | None = None
    why: str = ""
    """Of a failure: the program's own sentence."""


@dataclass
class Queue(ABC):
    """Does jobs, each when all before it are done.

    Args:
        logs: Folder for what each job says.
        retries: How often a job is started again after a crash; a mistake of the user is not.
        watch: Told of the whole queue, several times a second.
    """

    logs: Path
    retries: int = 2
    watch: Callable[[Sequence[QueuedJob]], object] = lambda queue: None

    @abstractmethod
    def free(self) -> int:
        """Returns how many jobs more can be started now."""

    @abstractmethod
    def launch(self, queued: QueuedJob) -> None:
        """Starts a job, or says in it why that failed."""

    @abstractmethod
    def ended(self) -> list[tuple[QueuedJob, int, str]]:
        """Returns the jobs that ended since, each with its exit status and its last words."""

    @abstractmethod
    def stop(self) -> None:
        """Asks every job at work to save and stop, and waits for it."""

    def run(self, jobs: Sequence[Job], done: Callable[[Job], bool]) -> list[QueuedJob]:
        """Does the jobs that are not done, and returns what became of each.

        Ctrl-C and SIGTERM stop all of them, each saved; the same call goes on later.

        Args:
            jobs: In an order in which each stands behind those it needs.
            done: Whether a job is done, asked of its folder.
        """
        every = {job.name: QueuedJob(job, "done" if done(job) else "waiting") for job in jobs}
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            with _stopping():
                while True:
                    for queued, status, why in self.ended():
                        self._settle(queued, status, why)
                    self._start(every)
                    self.watch(list(every.values()))
                    if not any(queued.state == "running" for queued in every.values()):
                        break
                    time.sleep(POLL)
        except KeyboardInterrupt:
            self.stop()
            for queued in every.values():
                if queued.state in ("waiting", "running"):
                    queued.state = "stopped"
            self.watch(list(every.values()))
        return list(every.values())

    def _settle(self, queued: QueuedJob, status: int, why: str) -> None:
        queued.slot = None
        if status == 0:
            queued.state, queued.why = "done", ""
        elif status in USER_ERRORS or queued.tries > self.retries:
            queued.state, queued.why = "failed", why
        else:
            queued.state, queued.why = "waiting", why

    def _start(self, every: Mapping[str, QueuedJob]) -> None:
        for queued in every.values():
            if queued.state != "waiting":
                continue
            before = [every[job.name] for job in queued.job.after]
            if lost := next((p for p in before if p.state == "failed"), None):
                queued.state, queued.why = "failed", f"{lost.job.name}, which it goes on from, failed"
            elif all(p.state == "done" for p in before) and self.free() > 0:
                queued.tries += 1
                self.launch(queued)


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """Has SIGTERM and SIGHUP stop us as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signals = [signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
