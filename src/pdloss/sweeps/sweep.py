"""A sweep from its plan to its scores, each part a process of the program's own verbs."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pdloss.errors import RunError
from pdloss.files import locked, write_text
from pdloss.records import RunRecord, read_record
from pdloss.specs import read_sum
from pdloss.sweeps import work
from pdloss.sweeps.jobs import Job, jobs_of
from pdloss.sweeps.plan import PLACE, Plan, keep_plan
from pdloss.sweeps.progress import Progress, progress
from pdloss.sweeps.queue import Queue, QueuedJob
from pdloss.sweeps.slots import Slot
from pdloss.training.configuration import TrainConfig

TIMED_STEPS = 12
"""Steps of a short training that says how long a step takes; the first third, in which memory is laid out, is left."""

WATCHED_SECONDS = 0.5
"""Between two looks at how far it is."""


@contextlib.contextmanager
def alone(plan: Plan) -> Iterator[None]:
    """Lets one sweep at a time work in the plan's folder.

    Raises:
        RunError: If another one does.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    with locked(plan.out / ".lock", busy=f"another sweep is at work in {plan.out}; wait for it, or stop it"):
        yield


def steps_of(job: Job) -> int:
    """Returns how many steps a training takes."""
    return int(job.options.get("steps", TrainConfig.steps))


def progress_of(job: Job) -> Progress:
    """Returns how far a job is."""
    return progress(job, steps_of(job))


def open_sweep(plan: Plan) -> list[Job]:
    """Returns the jobs of a plan, after writing its base into its folder.

    Values may be added to the axes of a sweep, and losses; what is the same for all runs may not change.

    Raises:
        RunError: If the folder belongs to a plan with another base; the message names what differs.
    """
    base = {"train": dict(plan.train), "start": None if plan.start is None else dict(plan.start)}
    said = json.loads(json.dumps(base, default=str))
    file = plan.out / "sweep.json"
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        before = None
    except ValueError:
        raise RunError(
            f"{file} is damaged; remove it if the plan is still the one that its runs were made by"
        ) from None
    if before is None:
        write_text(file, json.dumps(said, indent=2))
    elif differences := _differences(before, said):
        raise RunError(
            f"{plan.out} was begun with another base: {'; '.join(differences)}; name another folder in out, or restore "
            "what was there"
        )
    keep_plan(plan)
    jobs = jobs_of(plan)
    for job in jobs:
        if job.kind == "start":
            _refuse_other_start(job)
    return jobs


def _refuse_other_start(job: Job) -> None:
    """Refuses a run of other options in the start's place, which nothing would train again.

    Raises:
        RunError: Naming the differences.
    """
    if not (job.folder / "config.json").is_file():
        return
    record = read_record(job.folder / "config.json", RunRecord)
    differences = []
    for key in ("task", "steps", "batch", "crop", "lr", "seed"):
        there, asked = getattr(record, key), job.options.get(key)
        if asked is not None and str(type(there)(asked)) != str(there):
            differences.append(f"{key} is {there!r}, not {asked!r}")
    if differences:
        raise RunError(f"{job.folder} is there, but not the start of this plan: {'; '.join(differences)}; move it away")


def train_all(jobs: Sequence[Job], engine: Queue) -> list[QueuedJob]:
    """Trains what is not trained yet, and returns what became of each job."""
    return engine.run(jobs, lambda job: progress_of(job).done)


def as_it_stands(job: Job) -> QueuedJob:
    """Returns what is there of a job, without doing anything for it."""
    so_far = progress_of(job)
    return QueuedJob(job, "done" if so_far.done else "waiting", why=f"{so_far.step} of {so_far.steps} steps trained")


def by_task(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    """Returns the trainings by what they restore."""
    tasks: dict[str, list[Job]] = {}
    for job in jobs:
        if job.kind != "calibration":
            tasks.setdefault(str(job.options.get("task", TrainConfig.task)), []).append(job)
    return tasks


def evaluations(plan: Plan, jobs: Sequence[Job]) -> list[list[str]]:
    """Returns the words behind ``pdloss`` that score all runs.

    One call for all that restore the same task, or one for each folder of photographs where these have metrics of
    their own.
    """
    if plan.evaluate is None:
        return []
    return [
        ["evaluate", *(str(job.folder) for job in of_task), *work.words(options)]
        for of_task in by_task(jobs).values()
        for options in _of_each_call(plan.evaluate)
    ]


def _of_each_call(evaluate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not isinstance(evaluate.get("metrics"), list):
        return [evaluate]
    return [
        {name: value[i] if isinstance(value, list) else value for name, value in evaluate.items()}
        for i in range(len(evaluate["data"]))
    ]


def seconds_per_step(job: Job, slot: Slot, watch: Callable[[int], object] = lambda step: None) -> float | None:
    """Returns how long a step of this training takes here, from a few steps; None if they fail.

    Args:
        job: The training.
        slot: Where it is to run.
        watch: Told now and then how many of the `TIMED_STEPS` are done.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = {
            k: v for k, v in job.options.items() if k not in ("steps", "init", "valid", "save_every", "log_every")
        }
        options |= {
            "loss": str(options.get("loss", TrainConfig.loss)).replace(PLACE, "0.001"),
            "steps": TIMED_STEPS,
            "log_every": 1,
        }
        command = [*work.PROGRAM, "train", *work.words(options), "--out", f"{folder}/run"]
        log = Path(folder, "run", "log.jsonl")
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=slot.environment
        ) as timed:
            slot.take(timed.pid)
            try:
                while timed.poll() is None:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        timed.wait(WATCHED_SECONDS)
                    watch(len(_lines(log)))
            finally:
                timed.kill()  # where we are stopped
        if timed.returncode != 0:
            return None
        seconds = [json.loads(line)["seconds"] for line in _lines(log)]
    first = TIMED_STEPS // 3
    return float(seconds[-1] - seconds[first - 1]) / (TIMED_STEPS - first)


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.is_file() else []


def alike(job: Job) -> tuple[object, ...]:
    """Returns what two trainings have in common whose steps take equally long: all but weights, seeds and lengths."""
    fast = {k: v for k, v in job.options.items() if k not in ("seed", "steps", "init", "lr", "loss")}
    terms = read_sum(str(job.options.get("loss", TrainConfig.loss)).replace(PLACE, "1"))
    return (tuple(sorted(str(call) for _, call in terms)), *sorted((name, str(value)) for name, value in fast.items()))


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = []
    for table in ("train", "start"):
        old, new = before.get(table) or {}, now.get(table) or {}
        found += [
            f"{table}.{key} was {old.get(key, 'absent')!r}, is {new.get(key, 'absent')!r}"
            for key in sorted({*old, *new})
            if str(old.get(key, "absent")) != str(new.get(key, "absent"))  # 300 of a file is "300" of an option
        ]
    return found
