"""``pdloss sweep``, as typed."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from pdloss.cli import main

PLAN = """
out = "{out}"
[train]
data = "deadleaves(images=1, size=32)"
network = "edsr(blocks=1, width=4, unshuffle=2)"
steps = 2
batch = 1
crop = 32
log_every = 1
[start]
steps = 2
[[losses]]
name = "pdl"
loss = "l1 + {{weight}}*pdl(features='steerable')"
share = [0.5]
[evaluate]
data = ["{photos}"]
metrics = "psnr"
"""


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "photos").mkdir()
    Image.linear_gradient("L").resize((32, 32)).convert("RGB").save(tmp_path / "photos" / "a.png")
    file = tmp_path / "plan.toml"
    file.write_text(PLAN.format(out=tmp_path / "runs", photos=tmp_path / "photos"))
    return file


@pytest.mark.slow
def test_trains_calibrates_and_scores_and_then_has_nothing_left_to_do(plan, tmp_path):
    command = [sys.executable, "-m", "pdloss", "sweep", str(plan)]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    runs = tmp_path / "runs"
    loss = json.loads((runs / "calibrations" / "calibration-pdl.json").read_text())["loss"]
    config = json.loads((runs / "pdl-share0.5" / "config.json").read_text())
    assert config["loss"].startswith(loss.split("*")[0])
    assert config["init"] == str(runs / "start")
    assert {f.name for f in (runs / "pdl-share0.5" / "scores").iterdir()} == {"photos.json"}
    assert "3 done" in first.stderr
    before = (runs / "pdl-share0.5" / "log.jsonl").read_bytes()
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 0
    assert "running" not in second.stderr
    assert (runs / "pdl-share0.5" / "log.jsonl").read_bytes() == before


def test_a_dry_run_prints_commands_and_time_and_makes_nothing(plan, tmp_path, capsys):
    assert main(["sweep", str(plan), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "pdloss train --data 'deadleaves(images=1, size=32)'" in printed
    assert "pdloss calibrate" in printed
    assert "3 jobs, 1 at a time: about " in printed
    assert not (tmp_path / "runs").exists()


def test_a_wrong_plan_is_one_sentence(plan, capsys):
    plan.write_text(plan.read_text().replace("steps", "step"))
    assert main(["sweep", str(plan)]) == 1
    assert "unknown key 'step' in [train]; did you mean 'steps'?" in capsys.readouterr().err
    assert main(["sweep", str(plan.with_name("none.toml"))]) == 1
    assert main(["sweep", str(plan), "--jobs", "999"]) == 1


def test_a_plan_may_be_typed_and_grown_and_its_base_may_not_change(tmp_path, capsys):
    words = ["sweep", "--out", str(tmp_path / "runs"), "--losses", "l1", "l1 + {weight}*pdl", "--data", "photos"]
    words += ["--engine", "slurm", "--steps", "3"]
    assert main([*words, "--weights", "0.1"]) == 0
    listed = tmp_path / "runs" / "slurm" / "run.txt"
    assert listed.read_text().split() == ["l1", "l1+pdl-w0.1"]
    assert capsys.readouterr().out == f"sh {tmp_path / 'runs' / 'slurm' / 'submit.sh'}\n"
    (tmp_path / "runs" / "l1" / "weights").mkdir(parents=True)
    (tmp_path / "runs" / "l1" / "weights" / "000000003.safetensors").touch()
    assert main([*words, "--weights", "0.1", "0.2"]) == 0
    assert listed.read_text().split() == ["l1+pdl-w0.1", "l1+pdl-w0.2"]  # what is done is not asked for again
    assert main([*words[:-1], "4", "--weights", "0.1"]) == 1
    assert "another base: train.steps was '3', is '4'" in capsys.readouterr().err


def test_a_plan_and_options_of_one_exclude_each_other(plan, capsys):
    assert main(["sweep", str(plan), "--steps", "3"]) == 1
    assert "--steps and the plan" in capsys.readouterr().err
    assert main(["sweep", str(plan), "--seeds", "3"]) == 1
    assert main(["sweep", str(plan), "--address", "auto"]) == 1
    assert "write --engine ray" in capsys.readouterr().err
    assert main(["sweep", str(plan), "--processes-per-run", "0"]) == 1
