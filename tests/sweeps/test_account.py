"""The account of a sweep: a line for each job, with what it was and took."""

import csv
import json
import shlex

from pdloss.sweeps.account import COLUMNS, write_account
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import kept_plan, plan_from
from pdloss.sweeps.queue import QueuedJob
from tests.report.folders import write_log, write_run


def test_a_line_says_what_each_job_was_and_took_and_the_command_has_the_weight_that_was_found(tmp_path):
    plan = plan_from({
        "out": str(tmp_path / "runs"),
        "train": {"data": "my photos", "steps": 400},
        "start": {"steps": 40},
        "losses": [{"loss": "l1"}, {"name": "PDL", "loss": "l1 + {weight}*pdl", "share": [0.5], "seed": [7]}],
    })  # fmt: skip
    start, calibration, plain, pdl = jobs_of(plan)
    write_run(plain.folder, {"psnr": [1.0, 2.0, 3.0]}, machine={"threads": "2"}, versions={"pdloss": "0.2.0"}, seed=3)
    write_log(plain.folder, ["l1"], lines=40)  # 400 steps in 39 seconds
    queue = [QueuedJob(start, "done"), QueuedJob(calibration, "done"), QueuedJob(plain, "done")]
    queue += [QueuedJob(pdl, "failed", why="no such folder")]
    files = write_account(plan, queue, tmp_path / "out")
    assert [file.name for file in files] == ["plan.json", "runs.csv"]
    assert kept_plan(tmp_path / "out").losses == plan.losses
    rows = list(csv.DictReader(files[1].read_text().splitlines()))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["run"], row["kind"], row["row"], row["state"]) for row in rows] == [
        ("start", "start", "", "done"),
        ("calibration-PDL", "calibration", "", "done"),
        ("l1", "run", "l1", "done"),
        ("PDL-share0.5-seed7", "run", "PDL", "failed: no such folder"),
    ]
    said = [rows[2][name] for name in ("loss", "seed", "steps", "minutes", "device", "threads", "pdloss")]
    assert said == ["l1", "3", "399", "0.7", "cpu", "2", "0.2.0"]
    assert shlex.split(rows[2]["command"])[:4] == ["pdloss", "train", "--data", "my photos"]
    assert "{weight}*pdl" in rows[3]["command"]
    calibration.folder.parent.mkdir()
    calibration.folder.write_text(json.dumps({"loss": "l1 + 0.25*pdl"}))
    write_account(plan, queue, tmp_path / "out")
    assert "l1 + 0.25*pdl" in files[1].read_text()
