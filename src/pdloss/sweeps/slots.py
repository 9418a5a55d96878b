"""The embedded engine: some jobs at a time on this machine, each a process of its own on cores of its own.

Two trainings that share their threads' cores run ten times slower than each on its own: a slot owns its cores, and a
GPU if there is one. Whoever sets OMP_NUM_THREADS keeps what is beyond for other work. A crash, a leak or a kill takes
one job, which goes on where it was when it is started again.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pdloss.errors import UserError
from pdloss.sweeps import work
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.queue import Queue, QueuedJob
from pdloss.sweeps.worker import Running, sentence, started


@dataclass(frozen=True)
class Slot:
    """Where one job runs at a time."""

    number: int
    cores: tuple[int, ...]
    gpu: str | None
    """Names of one or more, separated by commas."""
    processes: int = 1
    """Of the job, which share the cores."""

    @property
    def environment(self) -> dict[str, str]:
        """What a process in this slot is told beside what we were."""
        threads = str(threads_of(len(self.cores), self.processes))
        told = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        return {**os.environ, **told, **({"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu is not None else {})}

    def take(self, process: int) -> None:
        """Keeps a process, by its number, on the slot's cores alone."""
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(OSError):  # it may have ended already
                os.sched_setaffinity(process, self.cores)


def slots(jobs: int, cores: Sequence[int], gpus: Sequence[str] = (), processes: int = 1) -> list[Slot]:
    """Returns that many slots with equal parts of the cores, and the GPUs in turn.

    A slot that computes on its cores alone has no more of them than threads, so that nothing of it is elsewhere.

    Raises:
        UserError: If there are more slots than cores.
    """
    if not 1 <= jobs <= len(cores):
        raise UserError(
            f"--jobs {jobs} must be from 1 to the {len(cores)} cores that there are: each owns one at least"
        )
    each = len(cores) // jobs
    most = each if gpus else processes * threads_of(each)
    made = []
    for i in range(jobs):
        own = [gpus[(i * processes + p) % len(gpus)] for p in range(min(processes, len(gpus)))]
        made.append(Slot(i, tuple(cores[i * each : (i + 1) * each][:most]), ",".join(own) if own else None, processes))
    return made


def threads_of(cores: int, processes: int = 1) -> int:
    """Returns how many threads each process of a job computes on: its part of the cores, OMP_NUM_THREADS at most.

    Args:
        cores: Of the job.
        processes: Of the job.
    """
    threads = max(1, cores // processes)
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # a list has those of nested loops behind
    return min(threads, int(asked)) if asked.isdecimal() and int(asked) else threads


def cores_here() -> list[int]:
    """Returns the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def gpus_here() -> list[str]:
    """Returns the GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES takes."""
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in named.split(",") if name.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return [str(i) for i, line in enumerate(listed.stdout.splitlines()) if line.startswith("GPU ")]


@dataclass
class Engine(Queue):
    """Does jobs in slots.

    Args:
        slots: Where.
        command: What does a job: the words of a process.
    """

    slots: Sequence[Slot] = ()
    command: Callable[[Job], Sequence[str]] = work.command
    _running: list[tuple[QueuedJob, Slot, Running]] = field(default_factory=list)

    def free(self) -> int:
        """Returns how many slots are free."""
        return len(self.slots) - len(self._running)

    def launch(self, queued: QueuedJob) -> None:
        """Starts a job in a free slot, on the slot's cores alone."""
        taken = {slot.number for _, slot, _ in self._running}
        slot = next(slot for slot in self.slots if slot.number not in taken)
        try:
            running = started(queued.job, self.command(queued.job), self.logs, slot.environment)
        except (OSError, UserError) as error:  # a full disk has no room for its log
            queued.state, queued.why = "failed", sentence(error)
            return
        slot.take(running.process.pid)
        queued.state, queued.slot = "running", slot.number
        self._running.append((queued, slot, running))

    def ended(self) -> list[tuple[QueuedJob, int, str]]:
        """Returns the jobs that ended since."""
        found = []
        for entry in list(self._running):
            queued, _, running = entry
            if (status := running.status()) is not None:
                self._running.remove(entry)
                found.append((queued, status, running.last_words(status) if status else ""))
        return found

    def stop(self) -> None:
        """Asks every process to save and stop, and waits for it."""
        for _, _, running in self._running:
            running.ask_to_stop()
        for _, _, running in self._running:
            running.process.wait()
            running.status()
        self._running.clear()
