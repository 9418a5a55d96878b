"""One job of a sweep as a process: what a slot here, a worker of a cluster or a task of an array does.

    python -m pdloss.sweeps.worker FOLDER NAME [--plan FILE] [--processes N] [--retries N]

does the job of that name of the sweep in the folder, whose plan lies there unless a file is named.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import tyro

from pdloss.errors import RunError, UserError, system_sentence
from pdloss.specs import suggestion
from pdloss.sweeps import work
from pdloss.sweeps.jobs import Job, jobs_of
from pdloss.sweeps.plan import KEPT, kept_plan
from pdloss.sweeps.queue import USER_ERRORS

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Running:
    """A job at work."""

    job: Job
    process: "subprocess.Popen[bytes]"
    out: IO[bytes]
    log: IO[bytes]
    lost: str = ""
    """Why what it found could not be kept."""

    def status(self) -> int | None:
        """Returns the exit status, None while it works; keeps what a calibration found, and fails if that fails."""
        status = self.process.poll()
        if status is None:
            return None
        self.out.close()
        self.log.close()
        if status == 0 and self.job.kind == "calibration":
            try:
                work.keep_calibrated_loss(self.job, Path(self.out.name).read_text(encoding="utf-8"))
            except (OSError, UserError) as error:
                self.lost = sentence(error)
                return USER_ERRORS[0]
        return status

    def last_words(self, status: int) -> str:
        """Returns the sentence that a failed process ended with, else how it ended.

        A full disk has no room for that sentence either: then it is said here.
        """
        if self.lost:
            return self.lost
        log = Path(self.log.name)
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if line.startswith("pdloss: ")), "")
        if said:
            return said.removeprefix("pdloss: ")
        if full := _no_room(log.parent):
            return full
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return f"{how}; see {log}"

    def ask_to_stop(self) -> None:
        """Asks the process, and those that it started, to save and stop."""
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.killpg(self.process.pid, signal.SIGTERM)


def started(job: Job, command: Sequence[str], logs: Path, environment: Mapping[str, str]) -> Running:
    """Returns a job at work in a process of its own.

    It is in a session of its own: a terminal's Ctrl-C reaches us alone, and we stop it when it has been told once. If
    we are killed, the system asks it to save and stop, so that nothing runs on unwatched.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:  # closed again if it cannot be started
        out = opened.enter_context((logs / f"{job.name}.out").open("wb"))
        log = opened.enter_context((logs / f"{job.name}.log").open("ab"))
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=ENDS_WITH_US,
        )
        opened.pop_all()
    return Running(job, process, out, log)


def sentence(error: OSError | UserError) -> str:
    """Returns what to say of an error that the user can put right."""
    return str(error) if isinstance(error, UserError) else system_sentence(error)


def _no_room(folder: Path) -> str:
    """Returns the system's sentence if not even a line can be written in a folder; else nothing."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(4096))
    except OSError as error:
        return system_sentence(OSError(error.errno, error.strerror, str(folder)))
    return ""


def done_here(job: Job, command: Sequence[str], logs: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Does a job and returns its exit status and, of a failure, its last words; stopped, it is saved."""
    running = started(job, command, logs, environment)
    try:
        running.process.wait()
    except BaseException:  # of Ctrl-C, and of whatever a cluster stops a worker with
        running.ask_to_stop()
        running.process.wait()
        raise
    status = running.status()
    assert status is not None
    return status, "" if status == 0 else running.last_words(status)


def _end_with_parent() -> None:
    set_parent_death_signal = 1
    assert _LIBC is not None
    _LIBC.prctl(set_parent_death_signal, signal.SIGTERM)


ENDS_WITH_US = _end_with_parent if sys.platform == "linux" else None
"""For `subprocess`: asks what is started to stop when this process ends, however it does."""


@dataclass(frozen=True)
class WorkerOptions:
    """Does one job of a sweep."""

    folder: tyro.conf.Positional[Path]
    """Of the sweep."""
    name: tyro.conf.Positional[str]
    """Of the job."""
    plan: Path = Path(KEPT)
    """Of the sweep, as its folder keeps it."""
    processes: int = 1
    """Of one training, by torchrun."""
    retries: int = 2
    """How often it is started again after a crash."""


def main(argv: Sequence[str] | None = None) -> int:
    """Does the job unless it is done, and returns its exit status."""
    options = tyro.cli(WorkerOptions, args=argv, prog="python -m pdloss.sweeps.worker")
    try:
        return _done(options)
    except (OSError, UserError) as error:
        print(f"pdloss: {sentence(error)}", file=sys.stderr)  # noqa: T201
        return 1


def _done(options: WorkerOptions) -> int:
    from pdloss.sweeps.sweep import progress_of

    jobs = {job.name: job for job in jobs_of(kept_plan(options.folder, options.plan))}
    if options.name not in jobs:
        raise RunError(f"{options.folder} has no job {options.name!r}{suggestion(options.name, jobs)}")
    job = jobs[options.name]
    if progress_of(job).done:
        return 0
    for _ in range(options.retries + 1):
        command = work.command(job, options.processes)
        status, why = done_here(job, command, options.folder / "logs", os.environ)
        if status == 0 or status in USER_ERRORS or status == 130:
            break
    if why:
        print(f"pdloss: {job.name}: {why}", file=sys.stderr)  # noqa: T201
    return status


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
