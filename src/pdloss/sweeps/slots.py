"""The embedded engine: some jobs at a time on this machine, each a process of its own on cores of its own.

Two trainings that share their threads' cores run ten times slower than each on its own: a slot owns its cores, and a
GPU if there is one. A crash, a leak or a kill takes one job, which goes on where it was when it is started again.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from pdloss.errors import UserError
from pdloss.sweeps import work
from pdloss.sweeps.jobs import Job

State = Literal["waiting", "running", "done", "failed", "stopped"]

USER_ERRORS = (1, 2)
"""Exit statuses that a second try cannot change: what the user can put right, and wrong usage."""

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

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


@dataclass(frozen=True)
class Slot:
    """Where one job runs at a time."""

    number: int
    cores: tuple[int, ...]
    gpu: str | None

    @property
    def environment(self) -> dict[str, str]:
        """What a process in this slot is told beside what we were."""
        threads = str(len(self.cores))
        told = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        return {**os.environ, **told, **({"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu is not None else {})}


def slots(jobs: int, cores: Sequence[int], gpus: Sequence[str] = ()) -> list[Slot]:
    """Returns that many slots with equal parts of the cores, and the GPUs in turn.

    Raises:
        UserError: If there are more slots than cores.
    """
    if not 1 <= jobs <= len(cores):
        raise UserError(
            f"--jobs {jobs} must be from 1 to the {len(cores)} cores that there are: each owns one at least"
        )
    each = len(cores) // jobs
    return [
        Slot(i, tuple(cores[i * each : (i + 1) * each]), gpus[i % len(gpus)] if gpus else None) for i in range(jobs)
    ]


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
class _Running:
    queued: QueuedJob
    slot: Slot
    process: "subprocess.Popen[bytes]"
    out: IO[bytes]
    log: IO[bytes]


@dataclass
class Engine:
    """Runs jobs in slots, each when all before it are done.

    Args:
        slots: Where.
        logs: Folder for what each job says.
        retries: How often a job is started again after a crash; a mistake of the user is not.
        watch: Told of the whole queue, several times a second.
        command: What does a job: the words of a process.
    """

    slots: Sequence[Slot]
    logs: Path
    retries: int = 2
    watch: Callable[[Sequence[QueuedJob]], object] = lambda queue: None
    command: Callable[[Job], Sequence[str]] = lambda job: [*work.PROGRAM, *work.arguments(job)]
    _running: list[_Running] = field(default_factory=list)

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
                    self._collect()
                    self._start(every)
                    self.watch(list(every.values()))
                    if not self._running:
                        break
                    time.sleep(POLL)
        except KeyboardInterrupt:
            self._stop()
            for queued in every.values():
                if queued.state in ("waiting", "running"):
                    queued.state = "stopped"
            self.watch(list(every.values()))
        return list(every.values())

    def _start(self, every: Mapping[str, QueuedJob]) -> None:
        free = [slot for slot in self.slots if slot.number not in {running.slot.number for running in self._running}]
        for queued in every.values():
            if queued.state != "waiting":
                continue
            before = [every[job.name] for job in queued.job.after]
            if lost := next((p for p in before if p.state == "failed"), None):
                queued.state, queued.why = "failed", f"{lost.job.name}, which it goes on from, failed"
            elif free and all(p.state == "done" for p in before):
                self._launch(queued, free.pop(0))

    def _launch(self, queued: QueuedJob, slot: Slot) -> None:
        queued.tries += 1
        try:
            command = self.command(queued.job)
        except UserError as error:
            queued.state, queued.why = "failed", str(error)
            return
        out = (self.logs / f"{queued.job.name}.out").open("wb")
        log = (self.logs / f"{queued.job.name}.log").open("ab")
        # In a session of its own: a terminal's Ctrl-C reaches us alone, and we stop it when it has been told once.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            env=slot.environment,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(OSError):  # it may have ended already
                os.sched_setaffinity(process.pid, slot.cores)
        queued.state, queued.slot = "running", slot.number
        self._running.append(_Running(queued, slot, process, out, log))

    def _collect(self) -> None:
        for running in list(self._running):
            status = running.process.poll()
            if status is None:
                continue
            self._running.remove(running)
            running.out.close()
            running.log.close()
            queued, job = running.queued, running.queued.job
            queued.slot = None
            if status == 0:
                queued.state = "done"
                if job.kind == "calibration":
                    work.keep_calibrated_loss(job, Path(running.out.name).read_text(encoding="utf-8"))
            elif status in USER_ERRORS or queued.tries > self.retries:
                queued.state, queued.why = "failed", _last_words(Path(running.log.name), status)
            else:
                queued.state, queued.why = "waiting", _last_words(Path(running.log.name), status)

    def _stop(self) -> None:
        """Asks every process to save and stop, and waits for it."""
        for running in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGTERM)
        for running in self._running:
            running.process.wait()
            running.out.close()
            running.log.close()
        self._running.clear()


def _end_with_parent() -> None:
    """Has the system ask this process to save and stop when the sweep is killed, so that nothing runs on unwatched."""
    set_parent_death_signal = 1
    assert _LIBC is not None
    _LIBC.prctl(set_parent_death_signal, signal.SIGTERM)


def _last_words(log: Path, status: int) -> str:
    """Returns the sentence that a failed process ended with, else how it ended."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if line.startswith("pdloss: ")), "")
    if said:
        return said.removeprefix("pdloss: ")
    how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return f"{how}; see {log}"


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
