"""The command distill: the error of each layer and the file, or one line."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from pdloss import cli, features
from pdloss.training.configuration import DistillConfig
from tests.training.test_distillation import Teacher, configuration, folders, teacher


def test_the_command_writes_a_file_that_losses_can_use(
    folders: dict[str, Path], teacher: Teacher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.safetensors"
    options = ["--steps", "2", "--batch", "64", "--crop", "16", "--widths", "4", "4", "--blocks", "0", "0"]
    places = ["--images", str(folders["one"]), str(folders["other"]), "--check", str(folders["check"])]
    assert cli.main(["distill", *places, "--out", str(out), *options]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["relu2_1", "conv2_1", "relu3_1", str(out)]
    assert all("relative squared error" in line for line in said[:3])
    assert features.FeatureNames.parse(f"{out}.relu3_1").build()(torch.rand(1, 3, 8, 8))["relu3_1"].shape == (
        1,
        8,
        2,
        2,
    )


def test_a_folder_that_cannot_be_written_is_one_line(
    folders: dict[str, Path], teacher: Teacher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    config = configuration(folders, tmp_path / "file" / "x.safetensors", steps=1, batch=256)
    places = ["--images", str(config.images[0]), "--check", str(config.check), "--out", str(config.out)]
    options = ["--steps", "1", "--batch", "256", "--crop", "16", "--widths", "4", "4", "--blocks", "0", "0"]
    assert cli.main(["distill", *places, *options]) == 1
    said = capsys.readouterr().err
    assert said.startswith("pdloss: ")
    assert said.count("\n") == 1


def test_one_that_goes_on_counts_its_speed_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def distil(config: DistillConfig, progress: Callable[[int, Mapping[str, float]], None]) -> dict[str, float]:
        for step in range(8001, 8012):
            progress(step, {"relu1_2": 0.5})
            now[0] += 5
        return {"relu1_2": 0.5}

    monkeypatch.setattr("pdloss.training.distillation.distill", distil)
    assert (
        cli.main(["distill", "--images", str(tmp_path), "--check", str(tmp_path), "--out", "x", "--steps", "10000"])
        == 0
    )
    assert capsys.readouterr().err == "distilling: 8007/10000, 4.29 s each, 142.4 min left relu1_2 0.500\n"
