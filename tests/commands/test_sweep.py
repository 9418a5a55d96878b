"""``pdloss sweep``, as typed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pdloss.cli import main
from pdloss.commands import sweeping
from pdloss.sweeps import cluster
from pdloss.sweeps.slots import Engine

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


def test_a_dry_run_prints_commands_and_time_and_makes_nothing(plan, tmp_path, capsys, monkeypatch):
    plan.write_text(plan.read_text().replace("share = [0.5]", "share = [0.5]\nweight = [0.1, 0.2]\nseed = [0, 1]"))
    timed = []

    def seconds(job, slot, watch):
        said = capsys.readouterr()
        timed.append((job.name, said.out, said.err))
        watch(3)
        return None if job.kind == "start" else 600.0

    monkeypatch.setattr(sweeping, "seconds_per_step", seconds)
    assert main(["sweep", str(plan), "--dry-run"]) == 0
    (start, shown, progress), (run, *_) = timed
    assert (start, run) == ("start", "pdl-w0.1")  # all others are as the second
    assert "pdloss train --data 'deadleaves(images=1, size=32)'" in shown
    assert "pdloss calibrate" in shown
    assert progress == "timing 12 steps of each of 2 kinds of training: about 40 s\n"
    printed = capsys.readouterr().out
    names = ["pdl-w0.1", "pdl-w0.2", "pdl-share0.5"]
    names += [f"{name}-seed1" for name in names]
    assert printed.splitlines() == [
        "could not be timed: start",
        f"12 steps, 600 s each: 2 h 0 min for {', '.join(names)}",
        "8 jobs, 1 at a time: about 2 h 0 min and those that could not be timed",
    ]
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_times_real_steps(plan, tmp_path, capsys):
    base, _, evaluate = plan.read_text().partition("[start]")
    plan.write_text(f"{base}[[losses]]\nloss = 'l1'\n{evaluate[evaluate.index('[evaluate]') :]}")
    assert main(["sweep", str(plan), "--dry-run"]) == 0
    *_, timed, said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"2 steps, [\d.e-]+ s each: \d+ s for l1", timed)
    assert re.fullmatch(r"1 jobs, 1 at a time: about \d+ s", said)
    assert not (tmp_path / "runs").exists()


def test_a_wrong_plan_is_one_sentence(plan, capsys):
    plan.write_text(plan.read_text().replace("steps", "step"))
    assert main(["sweep", str(plan)]) == 1
    assert "unknown key 'step' in [train]; did you mean 'steps'?" in capsys.readouterr().err
    assert main(["sweep", str(plan.with_name("none.toml"))]) == 1
    assert main(["sweep", str(plan), "--jobs", "999"]) == 1


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_what_runs_are_to_be_judged_by_is_looked_for_before_they_are_trained(dry, plan, tmp_path, capsys):
    text = plan.read_text()
    plan.write_text(text.replace('metrics = "psnr"', 'metrics = "psnr, blok"'))
    assert main(["sweep", str(plan), *dry]) == 1
    assert "unknown metric 'blok'; did you mean 'blocks'?" in capsys.readouterr().err
    plan.write_text(text.replace(str(tmp_path / "photos"), str(tmp_path / "phots")))
    assert main(["sweep", str(plan), *dry]) == 1
    assert f"{tmp_path / 'phots'}" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_plan_may_be_typed_and_grown_and_its_base_may_not_change(tmp_path, capsys):
    words = ["sweep", "--out", str(tmp_path / "runs"), "--losses", "l1", "l1 + {weight}*pdl", "--data", "photos"]
    words += ["--engine", "slurm", "--steps", "3"]
    assert main([*words, "--weights", "0.1"]) == 0
    script = Path(capsys.readouterr().out.removeprefix("sh ").strip())
    assert script.parent.parent == tmp_path / "runs" / "slurm"
    assert script.with_name("run.txt").read_text().split() == ["l1", "l1+pdl-w0.1"]
    (tmp_path / "runs" / "l1" / "weights").mkdir(parents=True)
    (tmp_path / "runs" / "l1" / "weights" / "000000003.safetensors").touch()
    assert main([*words, "--weights", "0.1", "0.2"]) == 0
    script = Path(capsys.readouterr().out.removeprefix("sh ").strip())
    assert script.with_name("run.txt").read_text().split() == [
        "l1+pdl-w0.1",
        "l1+pdl-w0.2",
    ]  # what is done is not asked for again
    assert main([*words[:-1], "4", "--weights", "0.1"]) == 1
    assert "another base: train.steps was '3', is '4'" in capsys.readouterr().err


def test_processors_and_gpus_are_refused_that_what_places_the_runs_cannot_give(plan, capsys):
    def refused(*words):
        assert main(["sweep", str(plan), "--dry-run", *words]) == 1
        return capsys.readouterr().err

    slurm, ray = ("--engine", "slurm"), ("--engine", "ray")
    for gpus in ("0.5", "1.5"):
        said = refused(*slurm, "--num-gpus", gpus)
        assert f"--num-gpus {gpus}" in said
        assert "--num-gpus 1" in said or "whole GPUs" in said
    assert "shards or MPS" in refused(*slurm, "--num-gpus", "0.5")
    assert "whole processors; round it up" in refused(*slurm, "--num-cpus", "2.5")
    assert "--num-gpus 1.5: above 1, a run takes whole GPUs" in refused(*ray, "--num-gpus", "1.5")
    for engine in (slurm, ray):
        assert "--num-gpus -1 must be from 0 on" in refused(*engine, "--num-gpus", "-1")
        assert "--num-gpus nan must be from 0 on" in refused(*engine, "--num-gpus", "nan")
        assert "--num-cpus 0 must be from 0.0001 on" in refused(*engine, "--num-cpus", "0")
        assert "at most four digits" in refused(*engine, "--num-gpus", "0.00015")
    assert "--num-gpus 1 is for --engine ray and slurm" in refused("--num-gpus", "1")
    assert "--num-cpus 2 is for --engine ray and slurm" in refused("--num-cpus", "2")


def test_ray_may_share_a_gpu_and_slurm_gives_whole_ones(plan, tmp_path, monkeypatch):
    asked = {}

    def engine(*values):
        asked.update(gpus=values[5])
        return Engine(tmp_path)

    monkeypatch.setattr(cluster, "RayEngine", engine)
    monkeypatch.setattr(sweeping, "train_all", lambda jobs, engine: [])
    assert main(["sweep", str(plan), "--engine", "ray", "--num-gpus", "0.5"]) == 0
    assert asked == {"gpus": 0.5}
    assert main(["sweep", str(plan), "--engine", "slurm", "--num-gpus", "2"]) == 0
    (array,) = (tmp_path / "runs" / "slurm").glob("*/array.sbatch")
    assert "#SBATCH --gpus=2\n" in array.read_text()


def test_a_plan_and_options_of_one_exclude_each_other(plan, capsys):
    assert main(["sweep", str(plan), "--steps", "3"]) == 1
    assert "--steps and the plan" in capsys.readouterr().err
    assert main(["sweep", str(plan), "--seeds", "3"]) == 1
    assert main(["sweep", str(plan), "--address", "auto"]) == 1
    assert "write --engine ray" in capsys.readouterr().err
    assert main(["sweep", str(plan), "--processes-per-run", "0"]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_sweep_that_is_killed_while_it_scores_leaves_nothing_computing():
    child = "import time; print('began', flush=True); time.sleep(5); print('left behind', flush=True)"
    parent = f"""
import sys
from pdloss.commands import sweeping
sweeping.work.PROGRAM = [sys.executable, "-c", {child!r}]
sweeping.scored(["evaluate"])
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"began\n"
        process.kill()
        assert process.stdout.read() == b""
