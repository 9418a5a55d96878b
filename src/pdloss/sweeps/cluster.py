"""Jobs of a sweep on a cluster by Ray Core: one remote function around the process that a slot here would start.

All machines must see the sweep's folder, and the photographs, at the same paths.
"""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from pdloss.errors import MissingExtraError, RunError, UserError
from pdloss.sweeps import work
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.queue import USER_ERRORS, Queue, QueuedJob
from pdloss.sweeps.slots import threads_of
from pdloss.sweeps.worker import done_here, sentence


class CrashError(Exception):
    """A job ended in a way that a second try may change."""


def do_job(job: Job, command: list[str], logs: Path, told: Mapping[str, str]) -> tuple[int, str]:
    """Does a job on the worker that this is called on.

    Args:
        job: The job.
        command: The process that does it.
        logs: Folder for what it says.
        told: What its environment holds beside the worker's.

    Raises:
        CrashError: If it crashed, so that Ray tries again, here or elsewhere.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status, why = done_here(job, command, logs, {**os.environ, **told})
    except OSError as error:
        return USER_ERRORS[0], sentence(error)
    if status not in (0, *USER_ERRORS):
        raise CrashError(why)
    return status, why


@dataclass
class RayEngine(Queue):
    """Does jobs on a Ray cluster, as many at a time as its processors and GPUs hold.

    Args:
        address: Of the cluster; by default one is started on this machine, for as long as the sweep takes.
        num_cpus: Of one job; also the threads that it computes on.
        num_gpus: Of one job; a fraction lets several share one.
        processes: Of one training, by torchrun.

    Raises:
        MissingExtraError: If Ray is not installed.
        RunError: If no cluster answers, or it is too small for one job.
    """

    address: str | None = None
    num_cpus: float = 1
    num_gpus: float = 0
    processes: int = 1
    _running: dict[Any, QueuedJob] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            self._ray = import_module("ray")
        except ImportError:
            raise MissingExtraError("ray", "ray") from None
        # By rule Ray kills what a lost worker started; ours hears of it from the system, and saves first.
        os.environ.setdefault("RAY_kill_child_processes_on_worker_exit", "false")
        try:
            self._ray.init(self.address, log_to_driver=False, include_dashboard=False if self.address is None else None)
        except (ConnectionError, ValueError, RuntimeError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise RunError(
                f"no Ray cluster answers at {self.address or 'this machine'}: {said[0]}; start one with ray start "
                "--head, or leave --address out for one on this machine"
            ) from None
        if self._capacity() < 1:
            held = self._ray.cluster_resources()
            raise RunError(
                f"a job takes {self.num_cpus:g} processors and {self.num_gpus:g} GPUs, the Ray cluster has "
                f"{held.get('CPU', 0):g} and {held.get('GPU', 0):g}: ask for less with --num-cpus and --num-gpus"
            )
        self._do = self._ray.remote(
            num_cpus=self.num_cpus, num_gpus=self.num_gpus, max_retries=self.retries, retry_exceptions=[CrashError]
        )(do_job)

    def _capacity(self) -> int:
        held = self._ray.cluster_resources()
        asked = [(held.get("CPU", 0.0), self.num_cpus), (held.get("GPU", 0.0), self.num_gpus)]
        return int(min((there / each for there, each in asked if each), default=1))

    def free(self) -> int:
        """Returns how many jobs more the cluster holds; Ray itself finds where."""
        return self._capacity() - len(self._running)

    def launch(self, queued: QueuedJob) -> None:
        """Hands a job to Ray, which also tries it again."""
        queued.tries = self.retries + 1  # none is left to us
        threads = str(threads_of(int(self.num_cpus), self.processes))
        try:
            words = work.command(queued.job, self.processes)
        except UserError as error:
            queued.state, queued.why = "failed", str(error)
            return
        found = self._do.remote(queued.job, words, self.logs.resolve(), {"OMP_NUM_THREADS": threads})
        queued.state = "running"
        self._running[found] = queued

    def ended(self) -> list[tuple[QueuedJob, int, str]]:
        """Returns the jobs that ended since, as they finish."""
        if not self._running:
            return []
        ready, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        return [(self._running.pop(one), *self._result(one)) for one in ready]

    def _result(self, one: Any) -> tuple[int, str]:
        try:
            status, why = self._ray.get(one)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            said = str(cause if isinstance(cause, CrashError) else error).strip().splitlines()
            return -signal.SIGKILL, said[0] if said else type(error).__name__
        return status, why

    def stop(self) -> None:
        """Asks every job to save and stop, waits for it, and leaves the cluster."""
        for one in self._running:
            self._ray.cancel(one, force=False)
        self._ray.wait(list(self._running), num_returns=len(self._running), timeout=60) if self._running else None
        self._running.clear()
        self._ray.shutdown()
