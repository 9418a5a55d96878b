"""``pdloss degrade`` as a user types it."""

from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.frozen_sets import MANIFEST, Manifest
from pdloss.records import read_record
from tests.runs_for_tests import photographs_in, trained_run


def test_freezes_a_set_that_evaluation_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = photographs_in(tmp_path / "photographs"), tmp_path / "frozen"
    options = ["--data", str(data), "--out", str(out), "--seed", "5"]
    assert main(["degrade", *options, "--degradation", "noise(sigma=0..0.2)"]) == 0
    assert "2 images, noise(sigma=0..0.2, clip=True), seed 5" in capsys.readouterr().out
    run = trained_run(tmp_path / "run", data)
    assert main(["evaluate", str(run), "--data", str(data), "--degraded", str(out), "--metrics", "psnr"]) == 0
    assert "frozen as" in " ".join(capsys.readouterr().out.split())


def test_takes_the_degradation_of_the_task(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs")
    assert main(["degrade", "--task", "jpeg", "--data", str(data), "--out", str(tmp_path / "frozen")]) == 0
    assert read_record(tmp_path / "frozen" / MANIFEST, Manifest).degradation.startswith("jpeg(quality=20")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--degradation", "noize"], "did you mean 'noise'"),
        (["--task", "sharpen"], "unknown task 'sharpen'"),
        (["--degradation", "jpeg(quality=101)"], "<= 100"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    data = photographs_in(tmp_path / "photographs")
    assert main(["degrade", "--data", str(data), "--out", str(tmp_path / "frozen"), *options]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "frozen").exists()


def test_damaged_images_are_named_or_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = photographs_in(tmp_path / "photographs")
    (data / "broken.png").write_bytes(b"no picture")
    command = ["degrade", "--data", str(data), "--out", str(tmp_path / "frozen")]
    assert main(command) == 1
    assert "broken.png" in capsys.readouterr().err
    assert main([*command, "--skip-damaged"]) == 0
    assert len(read_record(tmp_path / "frozen" / MANIFEST, Manifest).images) == 2
