"""What every verb that carries out a plan shares: slots, the table of how far it is, and the scores at the end."""

import math
import re
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
    TIMED_STEPS,
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
from pdloss.sweeps.worker import ENDS_WITH_US
from pdloss.tables import terminal

if TYPE_CHECKING:
    from pdloss.report.paper_comparison import PaperRows


LEAST = 1e-4
"""What a run takes of a processor; Ray counts in ten-thousandths."""
GUESSED_SECONDS = 20.0
"""What timing one kind of training is said to take before any was timed."""


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
    """GPUs of one run, on a cluster; with Ray also a part of one."""
    processes_per_run: int = 1
    """Processes of one training, started by torchrun: one for each GPU."""
    report: bool = False
    """Train nothing more: score what is trained, and write the result."""


def carry_out(plan: Plan, options: SlotOptions) -> tuple[int, list[QueuedJob]]:
    """Trains and scores, or only says what it would do.

    Returns:
        The exit status, 0, 1 if a run failed, 130 if stopped; and what became of each job, of a dry run none.

    Raises:
        UserError: If the plan's folder cannot be used, or what it is to be judged by.
    """
    _check(options)
    _check_evaluation(plan)
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
            if (status := scored(words)) != 0:
                return status, queue
        return int(any(each.state == "failed" for each in queue)), queue


def scored(words: Sequence[str]) -> int:
    """Returns the exit status of a verb of ours, which ends when we do."""
    return subprocess.run([*work.PROGRAM, *words], check=False, preexec_fn=ENDS_WITH_US).returncode


def _check(options: SlotOptions) -> None:
    """Refuses options that make no sense together.

    Raises:
        SpecError: Naming the option.
    """
    if options.processes_per_run < 1:
        raise SpecError(f"--processes-per-run must be at least 1, got {options.processes_per_run}")
    _check_places(options.engine, options.num_cpus, options.num_gpus)
    if options.address is not None and options.engine != "ray":
        raise SpecError(f"--address {options.address} is that of a Ray cluster: write --engine ray")


def _check_evaluation(plan: Plan) -> None:
    """Refuses metrics and photographs before the trainings, of which `evaluate` would know only after them.

    Raises:
        UserError: If there is no such metric, or no picture where one looks for them.
    """
    # They import torch and Pillow, which help does without.
    from pdloss.evaluation import scoring
    from pdloss.evaluation.defaults import CONSISTENCY
    from pdloss.picture_files.listing import list_images

    if plan.evaluate is None:
        return
    listed = plan.evaluate.get("metrics", [])
    for text in [listed] if isinstance(listed, str) else listed:
        scoring.check_names([name.strip() for name in str(text).split(",")], [CONSISTENCY])
    data = plan.evaluate["data"]
    for place in [data] if isinstance(data, str) else data:
        if not re.search(r"[*?\[]", str(place)):  # a pattern is evaluate's to resolve
            list_images(Path(place), below=True)


def _check_places(engine: str, cpus: float, gpus: float) -> None:
    """Refuses processors and GPUs of a run that what places it cannot give.

    Raises:
        SpecError: Naming the option, and the way there is.
    """
    for option, asked, least in (("--num-cpus", cpus, LEAST), ("--num-gpus", gpus, 0)):
        if not (least <= asked < math.inf and asked == round(asked, 4)):
            raise SpecError(f"{option} {asked:g} must be from {least:g} on, with at most four digits behind the point")
    if engine == "here" and (cpus != 1 or gpus):
        what = f"--num-gpus {gpus:g}" if gpus else f"--num-cpus {cpus:g}"
        raise SpecError(f"{what} is for --engine ray and slurm; on this machine --jobs shares out cores and GPUs")
    if gpus > 1 and gpus % 1:
        raise SpecError(f"--num-gpus {gpus:g}: above 1, a run takes whole GPUs")
    if engine == "slurm" and (cpus % 1 or gpus % 1):
        if cpus % 1:
            raise SpecError(f"--num-cpus {cpus:g}: SLURM gives whole processors; round it up")
        raise SpecError(
            f"--num-gpus {gpus:g}: SLURM gives whole GPUs, and parts of one only by a site's own shards or MPS: write "
            "--num-gpus 1; or --num-gpus 0, and set what your site says before you submit, such as SBATCH_GRES=shard:1"
        )


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
        cpus=int(options.num_cpus),
        gpus=int(options.num_gpus),
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
    from pdloss.sweeps.account import write_account
    from pdloss.sweeps.result import sets_of, write_result

    terminal.say(map(str, write_account(plan, queue, out)))
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
    for job in jobs:
        print(f"{job.name}\n  {work.shown(job)}")
    sys.stdout.flush()  # timing takes a while
    kinds: dict[tuple[object, ...], list[Job]] = {}
    for job in jobs:
        if job.kind != "calibration" and not progress_of(job).done:
            kinds.setdefault(alike(job), []).append(job)
    total, unknown = 0.0, False
    with Bar("timing", seconds=5) as bar:
        if kinds:
            about = overview.duration(GUESSED_SECONDS * len(kinds))
            bar.say(f"timing {TIMED_STEPS} steps of each of {len(kinds)} kinds of training: about {about}")
        found = [_timed(alike_jobs, n, len(kinds), places[0], bar) for n, alike_jobs in enumerate(kinds.values())]
    for seconds, said in found:
        print(said)
        total, unknown = total + (seconds or 0.0), unknown or seconds is None
    said = f"{len(jobs)} jobs, {len(places)} at a time: about {overview.duration(total / len(places))}"
    print(said + (" and those that could not be timed" if unknown else ""))


def _timed(jobs: Sequence[Job], number: int, kinds: int, place: Slot, bar: Bar) -> tuple[float | None, str]:
    """Returns how long the jobs of one kind take together, None if that cannot be told, and a line that says so."""
    bar.update(number * TIMED_STEPS, kinds * TIMED_STEPS, jobs[0].name)
    speed = seconds_per_step(
        jobs[0], place, lambda step: bar.update(number * TIMED_STEPS + step, kinds * TIMED_STEPS, jobs[0].name)
    )
    names = ", ".join(job.name for job in jobs)
    if speed is None:
        return None, f"could not be timed: {names}"
    left = sum(steps_of(job) - progress_of(job).step for job in jobs)
    return speed * left, f"{left} steps, {speed:.3g} s each: {overview.duration(speed * left)} for {names}"
