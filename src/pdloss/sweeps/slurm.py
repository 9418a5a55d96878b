"""A sweep as array jobs of SLURM: the script whose tasks call the same worker, and the command that submits it."""

import hashlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from pdloss.files import write_text
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.plan import KEPT
from pdloss.sweeps.slots import threads_of

_STAGES = ("start", "calibration", "run")
"""Each waits for the one before it."""


def write_slurm(
    jobs: Sequence[Job],
    folder: Path,
    *,
    cpus: int,
    gpus: int,
    processes: int = 1,
    retries: int = 2,
    at_once: int = 0,
) -> Path:
    """Returns the script that submits the jobs that are not done: an array for each stage, one after the other.

    What the tasks read when their turn comes lies in a folder named by its content, so that another plan, or the same
    one later, takes nothing from those that wait.

    Args:
        jobs: What is to be done.
        folder: Of the sweep, which all machines see at this path.
        cpus: Processors of one job.
        gpus: GPUs of one job.
        processes: Of one training, by torchrun.
        retries: How often a job is started again after a crash.
        at_once: How many jobs at a time at most; 0 for as many as SLURM sees fit.
    """
    stages = [(stage, [job.name for job in jobs if job.kind == stage]) for stage in _STAGES]
    plan = (folder / KEPT).read_text(encoding="utf-8")
    array = _array(folder.resolve(), cpus, gpus, processes, retries)
    told = hashlib.sha256(repr((plan, stages, array)).encode()).hexdigest()[:8]
    place = folder.resolve() / "slurm" / told
    write_text(place / KEPT, plan)
    write_text(place / "array.sbatch", array)
    lines = [
        "#!/bin/sh",
        "# Submits the jobs of this sweep; the same again submits what is not done by then.",
        "set -e",
    ]
    before = ""
    for stage, names in stages:
        if not names:
            continue
        listed = place / f"{stage}.txt"
        write_text(listed, "".join(f"{name}\n" for name in names))
        tasks = f"--array=0-{len(names) - 1}" + (f"%{at_once}" if at_once else "")
        depends = f' --dependency="afterok:${before}" --kill-on-invalid-dep=yes' if before else ""
        script = shlex.join([str(place / "array.sbatch"), str(listed)])
        lines.append(f"{stage}=$(sbatch --parsable {tasks}{depends} {script})")
        lines.append(f'echo "{stage}: job ${stage}, {len(names)} tasks"')
        before = stage
    write_text(place / "submit.sh", "\n".join([*lines, ""]))
    return place / "submit.sh"


def _array(folder: Path, cpus: int, gpus: int, processes: int, retries: int) -> str:
    threads = threads_of(cpus, processes)
    wanted = [f"#SBATCH --cpus-per-task={cpus}", *([f"#SBATCH --gpus={gpus}"] if gpus else [])]
    worker = shlex.join([sys.executable, "-m", "pdloss.sweeps.worker", str(folder)])
    return "\n".join(
        [
            "#!/bin/sh",
            "#SBATCH --job-name=pdloss",
            f"#SBATCH --output={folder}/logs/slurm-%A_%a.log",
            "#SBATCH --requeue",
            "#SBATCH --signal=TERM@60",
            *wanted,
            "# A line of the list is the name of a job; this task does the one of its own number.",
            'name=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$1")',
            f"export OMP_NUM_THREADS={threads}",
            f'exec {worker} "$name" --plan "$(dirname "$1")/{KEPT}" --processes {processes} --retries {retries}',
            "",
        ]
    )
