"""SLURM's script: submitted to a stub of `sbatch` that runs every task, it does what the sweep would."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import keep_plan, kept_plan, plan_from
from pdloss.sweeps.slurm import write_slurm

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")

# Runs each task of the array at once, with what SLURM tells it; prints a number, and fails where one it depends on has.
SBATCH = """#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/asked"
last=0
for word in "$@"; do
    case $word in
        --array=*) range=${word#--array=0-}; last=${range%%%*} ;;
        --dependency=afterok:*) test -f "$here/ok-${word##*:}" || exit 1 ;;
        --*) ;;
        *) break ;;
    esac
    shift
done
number=$(wc -l < "$here/asked")
for task in $(seq 0 "$last"); do
    SLURM_ARRAY_TASK_ID=$task sh "$@" >> "$here/said" 2>&1 || exit 1
done
touch "$here/ok-$number"
echo "$number"
"""

# Stands for python: writes down what the worker was asked for.
PYTHON = """#!/bin/sh
shift 3
echo "$@ threads=$OMP_NUM_THREADS" >> "$(dirname "$0")/done"
"""


@pytest.fixture
def submitted(tmp_path, monkeypatch):
    """What is written, and how to submit it to the stub."""
    (tmp_path / "bin").mkdir()
    for name, text in (("sbatch", SBATCH), ("python", PYTHON)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(stat.S_IRWXU)
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    plan = plan_from({
        "out": str(tmp_path / "the runs"),
        "train": {"data": "photos", "steps": 10},
        "start": {"steps": 40},
        "losses": [{"loss": "l1"}, {"loss": "l1 + {weight}*pdl", "weight": [0.1], "share": [0.5]}],
    })  # fmt: skip
    keep_plan(plan)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}

    def submit(jobs, **options):
        script = write_slurm(jobs, plan.out, **{"cpus": 4, "gpus": 1, "processes": 2, **options})
        return subprocess.run(["sh", str(script)], capture_output=True, text=True, env=environment, check=False)

    return jobs_of(plan), submit, tmp_path / "bin"


def test_every_job_is_a_task_and_each_stage_waits_for_the_one_before(submitted, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    jobs, submit, bin_folder = submitted
    ended = submit(jobs, at_once=3)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["start: job 1, 1 tasks", "calibration: job 2, 1 tasks", "run: job 3, 3 tasks"]
    done = (bin_folder / "done").read_text().splitlines()
    assert [line.split()[0] for line in done] == [job.name for job in jobs]
    assert all(line.endswith("--processes 2 --retries 2 threads=2") for line in done)
    asked = (bin_folder / "asked").read_text().splitlines()
    assert "--array=0-2%3 --dependency=afterok:2" in asked[2]


def test_only_what_is_left_is_submitted(submitted):
    jobs, submit, bin_folder = submitted
    ended = submit([job for job in jobs if job.kind == "run"][1:])
    assert ended.stdout.splitlines() == ["run: job 1, 2 tasks"]
    assert "dependency" not in (bin_folder / "asked").read_text()


def test_the_script_asks_for_what_a_job_takes(submitted, tmp_path):
    jobs, submit, _ = submitted
    submit(jobs)
    (array,) = (tmp_path / "the runs" / "slurm").glob("*/array.sbatch")
    text = array.read_text()
    assert "#SBATCH --cpus-per-task=4" in text
    assert "#SBATCH --gpus=1" in text
    submit(jobs, gpus=0)
    (other,) = {*(tmp_path / "the runs" / "slurm").glob("*/array.sbatch")} - {array}
    assert "--gpus" not in other.read_text()


def test_omp_num_threads_bounds_the_threads_of_a_task(submitted, monkeypatch, tmp_path):
    jobs, submit, _ = submitted
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    submit(jobs, cpus=16)
    (array,) = (tmp_path / "the runs" / "slurm").glob("*/array.sbatch")
    assert "export OMP_NUM_THREADS=3\n" in array.read_text()


def test_what_waits_reads_its_own_plan_and_list_whatever_is_submitted_later(submitted, tmp_path):
    jobs, submit, bin_folder = submitted
    submit(jobs)
    first = {path: path.read_bytes() for path in (tmp_path / "the runs" / "slurm").rglob("*.*")}
    other = plan_from({
        "out": str(tmp_path / "the runs"), "train": {"data": "photos", "steps": 10}, "losses": [{"loss": "mse"}]
    })  # fmt: skip
    keep_plan(other)
    submit(jobs_of(other))
    assert all(path.read_bytes() == content for path, content in first.items())
    plans = [
        line.split("--plan ")[1].split(" --processes")[0] for line in (bin_folder / "done").read_text().splitlines()
    ]
    losses = [[axis.loss for axis in kept_plan(tmp_path, Path(plan)).losses] for plan in plans]
    assert losses == [*5 * [["l1", "l1 + {weight}*pdl"]], ["mse"]]
