"""What every verb that carries out a plan shares: slots, the table of how far it is, and the scores at the end."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live

from pdloss.commands.progress import Bar
from pdloss.sweeps import overview, work
from pdloss.sweeps.jobs import Job, jobs_of
from pdloss.sweeps.plan import Plan
from pdloss.sweeps.slots import QueuedJob, Slot, cores_here, gpus_here, slots
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
    report: bool = False
    """Train nothing more: score what is trained, and write the result."""


def carry_out(plan: Plan, options: SlotOptions) -> tuple[int, list[QueuedJob]]:
    """Trains and scores, or only says what it would do.

    Returns:
        The exit status, 0, 1 if a run failed, 130 if stopped; and what became of each job, of a dry run none.

    Raises:
        UserError: If the plan's folder cannot be used.
    """
    places = slots(options.jobs, cores_here(), gpus_here())
    if options.dry_run:
        _print_dry(jobs_of(plan), places)
        return 0, []
    with alone(plan):
        jobs = open_sweep(plan)
        if options.report:
            queue = [as_it_stands(job) for job in jobs]
        else:
            with Display(len(places)) as display:
                queue = train_all(jobs, places, plan.out / "logs", options.retries, display.show)
        if any(each.state == "stopped" for each in queue):
            print("stopped, all saved; the same command goes on", file=sys.stderr)
            return 130, queue
        trained = [each.job for each in queue if each.state == "done"]
        for words in evaluations(plan, trained):
            if (status := subprocess.run([*work.PROGRAM, *words], check=False).returncode) != 0:
                return status, queue
        return int(any(each.state == "failed" for each in queue)), queue


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
