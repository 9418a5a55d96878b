"""What a sweep was, beside what came of it: its plan, and each job's command, cost and machine."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pdloss.files import output, write_text
from pdloss.records import RunRecord, read_record
from pdloss.sweeps import work
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.plan import KEPT, Plan, plan_text
from pdloss.sweeps.queue import QueuedJob
from pdloss.sweeps.sweep import progress_of
from pdloss.tables.csv_text import csv_text

RUNS = "runs.csv"
COLUMNS = ("run", "kind", "row", "state", "loss", "seed", "steps", "minutes", "device", "threads", "pdloss", "command")


def write_account(plan: Plan, queue: Sequence[QueuedJob], out: Path) -> list[Path]:
    """Returns the files that say it: ``plan.json``, and ``runs.csv`` with a line for each job.

    Raises:
        UserError: If a file cannot be written, or another's stands in its place.
    """
    texts = {KEPT: plan_text(plan), RUNS: csv_text(COLUMNS, map(_said, queue))}
    files = [out / name for name in texts]
    with output(*files):
        out.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, texts.values(), strict=True):
            write_text(file, text)
    return files


def _said(each: QueuedJob) -> dict[str, object]:
    job, config = each.job, each.job.folder / "config.json"
    state = each.state if each.state == "done" else ": ".join(filter(None, (each.state, each.why)))
    said: dict[str, object] = {"run": job.name, "kind": job.kind, "row": job.label, "state": state}
    said["command"] = _command(job)
    if not config.is_file():
        return said
    record, so_far = read_record(config, RunRecord), progress_of(job)
    return said | {
        "loss": record.loss,
        "seed": record.seed,
        "steps": so_far.step,
        "minutes": round(so_far.seconds / 60, 1),
        "device": record.machine.get("gpu", record.device),
        "threads": record.machine.get("threads"),
        "pdloss": record.versions.get("pdloss"),
    }


def _command(job: Job) -> str:
    """Returns what one would type, with the weight that was found for it, as far as it was."""
    found = job.calibration is None or job.calibration.folder.is_file()
    return shlex.join(["pdloss", *work.arguments(job)]) if found else work.shown(job)
