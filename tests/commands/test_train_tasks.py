"""Each of the five tasks as a user types it: trained, frozen, evaluated, with networks made small by text."""

import json
from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.records import Scores, read_log, read_record
from pdloss.tasks import TASKS
from tests.runs_for_tests import photographs_in

SMALL = {
    "denoise": "srn(width=2)",
    "sr": "edsr(scale=4, blocks=1, width=4)",
    "deblur": "dsdeblur(width=2)",
    "jpeg": "srn(width=2)",
    "demosaic": "srn(width=2)",
}
"""The task's own kind of network, and smaller."""


def test_the_small_networks_are_of_the_kinds_that_the_tasks_take() -> None:
    kinds = {name: task.network.partition("(")[0] for name, task in TASKS.items()}
    assert {name: text.partition("(")[0] for name, text in SMALL.items()} == kinds


@pytest.mark.parametrize("task", TASKS)
def test_a_task_trains_and_is_evaluated_from_a_frozen_set(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run, frozen = photographs_in(tmp_path / "photographs", height=42), tmp_path / "run", tmp_path / "frozen"
    command = ["train", "--task", task, "--data", str(data), "--out", str(run), "--network", SMALL[task]]
    assert main([*command, "--crop", "32", "--batch", "2", "--steps", "3", "--log-every", "1", "--loss", "l1"]) == 0
    record = json.loads((run / "config.json").read_text())
    assert (record["task"], record["crop"], record["steps"]) == (task, 32, 3)
    lines = read_log(run / "log.jsonl")
    assert [line.step for line in lines] == [1, 2, 3]
    assert all(line.gradients["l1"] > 0 for line in lines)

    assert main(["degrade", "--task", task, "--data", str(data), "--out", str(frozen)]) == 0
    evaluate = ["evaluate", str(run), "--data", str(data), "--metrics", "psnr"]
    assert main([*evaluate, "--set", "fresh"]) == main([*evaluate, "--set", "frozen", "--degraded", str(frozen)]) == 0
    fresh, again = (read_record(run / "scores" / f"{name}.json", Scores) for name in ("fresh", "frozen"))
    assert record["degradation"] in fresh.degradation and "frozen as" in again.degradation
    for one, other in zip(fresh.images, again.images, strict=True):
        assert 0 < one.restored["psnr"] < 60
        assert one.degraded["psnr"] == pytest.approx(other.degraded["psnr"], abs=0.02), "8 bits are all that differs"
        assert one.restored["psnr"] == pytest.approx(other.restored["psnr"], abs=0.02)
    for kind in ("restored", "degraded"):
        assert {path.name for path in (run / kind / "fresh").iterdir()} == {"photo0.png", "photo1.png"}
    capsys.readouterr()


@pytest.mark.parametrize("task", TASKS)
def test_the_distribution_loss_trains_every_task(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = photographs_in(tmp_path / "photographs"), tmp_path / "run"
    command = ["train", "--task", task, "--data", str(data), "--out", str(run), "--network", SMALL[task]]
    loss = ["--loss", "l1 + 0.01*pdl(features='distilled.relu4_3')"]  # features that come with the package
    assert main([*command, *loss, "--crop", "32", "--batch", "2", "--steps", "2", "--log-every", "1"]) == 0
    for line in read_log(run / "log.jsonl"):
        assert line.gradients.keys() == {"l1", "pdl"}
        assert min(line.gradients.values()) > 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("sr", ["--network", "edsr(scale=2, blocks=1, width=4)"], "3x4x4, 3x8x8, 3x16x16 (channels x height x width)"),
        ("denoise", ["--network", "srresnet(blocks=1, width=4)"], "3x16x16, 3x64x64, 3x16x16 (channels"),
        (
            "jpeg",
            ["--network", "srn(width=2)", "--degradation", "downscale(factor=2)"],
            "3x8x8, 3x8x8, 3x16x16 (channels",
        ),
        ("sr", ["--network", SMALL["sr"], "--degradation", "downscale(factor=3)"], "16 pixels cannot be degraded 3"),
    ],
)
def test_a_network_whose_scale_does_not_fit_the_task_is_one_line(
    task: str, options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = photographs_in(tmp_path / "photographs")
    command = ["train", "--task", task, "--data", str(data), "--out", str(tmp_path / "run"), "--loss", "l1", *options]
    assert main([*command, "--crop", "16", "--batch", "2", "--steps", "2"]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pdloss: ")]
    assert len(lines) == 1
    assert said in lines[0]


def test_a_network_is_not_evaluated_at_another_scale_than_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = photographs_in(tmp_path / "photographs"), tmp_path / "run"
    command = [
        "train",
        "--task",
        "sr",
        "--data",
        str(data),
        "--out",
        str(run),
        "--network",
        SMALL["sr"],
        "--loss",
        "l1",
    ]
    assert main([*command, "--crop", "16", "--batch", "2", "--steps", "1"]) == 0
    evaluate = ["evaluate", str(run), "--data", str(data), "--metrics", "psnr", "--degradation", "downscale(factor=2)"]
    capsys.readouterr()
    assert main(evaluate) == 1
    assert "makes (3, 80, 100) of (3, 20, 25), but the target of photo0.png is (3, 40, 50)" in capsys.readouterr().err
