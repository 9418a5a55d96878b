"""What every verb that carries out a plan shares: slots, the table of how far it is, and the scores at the end."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console, Group
from rich.live import Live

from pdloss.commands.progress import Bar
from pdloss.errors import SpecError
from pdloss.sweeps import overview, work
from pdloss.sweeps.jobs import Job, jobs_of
from pdloss.sweeps.plan import Plan
from pdloss.sweeps.queue import Queue, QueuedJob
from pdloss.sweeps.slots import Engine, Slot, cores_here, gpus_here, slots
from pdloss.sweeps.sweep import (
    alike,
    alone,
    as_it_stands,
    by_task,
    evaluations,
    open_sweep,
    progress_of,
    seconds_per_step,
    steps_of,
    train_all,
)
from pdloss.tables import terminal

if TYPE_CHECKING:
    from pdloss.report.paper_comparison import PaperRows


@dataclass(frozen=True, kw_only=True)
class SlotOptions:
    """How a plan is carried out."""

    jobs: int = 1
    """How many runs at a time; each owns an equal part of this machine's cores, and a GPU if there is one."""
    retries: int = 2
    """How often a run that crashed is started again, where it was."""
    dry_run: bool = False
    """Only print the runs, their commands, and how long they would take, from a few timed steps."""
    engine: Literal["here", "ray", "slurm"] = "here"
    """What does the runs: slots on this machine; a cluster by Ray; or SLURM, for which a script is written."""
    address: str | None = None
    """Of the Ray cluster, such as auto; by default one is started on this machine. All must see the folders."""
    num_cpus: float = 1
    """Processors of one run, on a cluster."""
    num_gpus: float = 0
    """GPUs of one run, on a cluster; with Ray also a fraction."""
    processes_per_run: int = 1
    """Processes of one training, started by torchrun: one for each GPU."""
    report: bool = False
    """Train nothing more: score what is trained, and write the result."""


def carry_out(plan: Plan, options: SlotOptions) -> tuple[int, list[QueuedJob]]:
    """Trains and scores, or only says what it would do.

    Returns:
        The exit status, 0, 1 if a run failed, 130 if stopped; and what became of each job, of a dry run none.

    Raises:
        UserError: If the plan's folder cannot be used.
    """
    _check(options)
    if options.dry_run:
        _print_dry(jobs_of(plan), slots(options.jobs, cores_here(), gpus_here(), options.processes_per_run))
        return 0, []
    with alone(plan):
        jobs = open_sweep(plan)
        if options.report:
            queue = [as_it_stands(job) for job in jobs]
        elif options.engine == "slurm":
            print(f"sh {_slurm(plan, jobs, options)}")
            return 0, []
        else:
            with Display(options.jobs) as display:
                queue = train_all(jobs, _engine(plan, options, display))
        if any(each.state == "stopped" for each in queue):
            print("stopped, all saved; the same command goes on", file=sys.stderr)
            return 130, queue
        trained = [each.job for each in queue if each.state == "done"]
        for words in evaluations(plan, trained):
            if (status := subprocess.run([*work.PROGRAM, *words], check=False).returncode) != 0:
                return status, queue
        return int(any(each.state == "failed" for each in queue)), queue


def _check(options: SlotOptions) -> None:
    """Refuses options that make no sense together.

    Raises:
        SpecError: Naming the option.
    """
    if options.processes_per_run < 1:
        raise SpecError(f"--processes-per-run must be at least 1, got {options.processes_per_run}")
    if options.num_cpus <= 0 or options.num_gpus < 0:
        raise SpecError(f"--num-cpus {options.num_cpus:g} --num-gpus {options.num_gpus:g}: a run takes a processor")
    if options.address is not None and options.engine != "ray":
        raise SpecError(f"--address {options.address} is that of a Ray cluster: write --engine ray")


def _engine(plan: Plan, options: SlotOptions, display: "Display") -> Queue:
    logs = plan.out / "logs"
    if options.engine == "ray":
        from pdloss.sweeps.cluster import RayEngine

        return RayEngine(
            logs,
            options.retries,
            display.show,
            options.address,
            options.num_cpus,
            options.num_gpus,
            options.processes_per_run,
        )
    processes = options.processes_per_run
    places = slots(options.jobs, cores_here(), gpus_here(), processes)
    return Engine(logs, options.retries, display.show, places, partial(work.command, processes=processes))


def _slurm(plan: Plan, jobs: Sequence[Job], options: SlotOptions) -> Path:
    from pdloss.sweeps.slurm import write_slurm

    return write_slurm(
        [job for job in jobs if not progress_of(job).done],
        plan.out,
        cpus=options.num_cpus,
        gpus=options.num_gpus,
        processes=options.processes_per_run,
        retries=options.retries,
        at_once=options.jobs if options.jobs > 1 else 0,
    )


def write_results(plan: Plan, queue: Sequence[QueuedJob], out: Path, paper: "PaperRows | None" = None) -> None:
    """Writes what came of the sweep on each set into a folder of its own, and prints the files and what is to be said.

    Args:
        plan: With sets to be scored on.
        queue: What became of each job.
        out: For the folders.
        paper: Which of the paper's tables to show, if one.

    Raises:
        UserError: If the runs cannot be compared, or a file cannot be written.
    """
    from pdloss.sweeps.result import sets_of, write_result

    runs = [each.job for each in queue if each.state == "done" and each.job.kind == "run"]
    for task, of_task in by_task(runs).items():
        for name in sets_of(plan.evaluate or {}):
            where = out / name if len(by_task(runs)) == 1 else out / task / name
            with Bar(f"comparing pictures of {name}") as bar:
                files, said = write_result([job.folder for job in of_task], where, name, paper, bar.update)
            terminal.say([*said, *map(str, files)])


class Display:
    """Shows a sweep: a live table in a terminal; elsewhere a line for whatever changes, and one a minute."""

    def __init__(self, jobs_at_once: int) -> None:
        self.console = Console(stderr=True)
        self.jobs_at_once = jobs_at_once
        self.live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None
        self.said: dict[str, str] = {}
        self.at = 0.0

    def __enter__(self) -> "Display":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def show(self, queue: Sequence[QueuedJob]) -> None:
        """Shows how far it is."""
        now = time.monotonic()
        ended = not any(each.state == "running" for each in queue)
        if self.live:
            if now - self.at > 1 or ended:
                self.at = now
                table = overview.table(queue, progress_of, self.jobs_at_once)
                self.live.update(Group(*terminal.parts(table, self.console), *table.remarks), refresh=True)
            return
        for each in queue:
            if self.said.get(each.job.name, "waiting") != each.state:
                self.said[each.job.name] = each.state
                print(f"{each.job.name}: {each.state} {each.why}".rstrip(), file=sys.stderr, flush=True)
        if now - self.at > 60 or ended:
            self.at = now
            print(overview.summary(queue, progress_of, self.jobs_at_once), file=sys.stderr, flush=True)


def _print_dry(jobs: Sequence[Job], places: Sequence[Slot]) -> None:
    """Prints every command, and the time from timed steps of each kind of training."""
    speeds: dict[tuple[object, ...], float | None] = {}
    total, unknown = 0.0, False
    for job in jobs:
        print(f"{job.name}\n  {work.shown(job)}")
        so_far = progress_of(job)
        if job.kind == "calibration" or so_far.done:
            continue
        kind = alike(job)
        if kind not in speeds:
            speeds[kind] = seconds_per_step(job, places[0])
        if (speed := speeds[kind]) is None:
            unknown = True
            continue
        left = speed * (steps_of(job) - so_far.step)
        total += left
        print(f"  {steps_of(job)} steps, {speed:.3g} s each: {overview.duration(left)}")
    said = f"{len(jobs)} jobs, {len(places)} at a time: about {overview.duration(total / len(places))}"
    print(said + (" and those that could not be timed" if unknown else ""))
