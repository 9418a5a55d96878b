"""What an exported file says, and that it is of use where runs are."""

from pathlib import Path

import pytest
import torch

from pdloss.assets import metadata
from pdloss.cli import main
from pdloss.evaluation import load_network
from pdloss.exporting import subject
from tests.runs_for_tests import photographs_in, trained_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exporting")
    data = photographs_in(folder / "data")
    return trained_run(folder / "x2", data, task="sr", network="edsr(blocks=1, width=8, scale=2)",
                       degradation="downscale(factor=2)", steps=3)  # fmt: skip


def test_says_task_scale_range_and_colour(run: Path) -> None:
    said = subject(run).said
    expected = {"task": "sr", "scale": "2", "range": "[0, 1]", "colour": "RGB", "crop": "16"}
    assert said.items() >= expected.items()
    assert said["network"].startswith("edsr(scale=2, blocks=1")
    assert said["degradation"].startswith("downscale(factor=2")


def test_exported_weights_stand_where_a_run_does(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), "--safetensors", "--out", str(tmp_path)]) == 0
    written = tmp_path / "x2.safetensors"
    assert capsys.readouterr().out.startswith(f"{written}: differs by at most ")
    images = torch.rand(1, 3, 20, 23, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, other = (load_network(place, torch.device("cpu"))(images) for place in (run, written))
    assert torch.equal(one, other)
    assert metadata(written)["precision"] == "float32"
    photographs_in(tmp_path / "photos", count=1)
    assert main(["restore", str(tmp_path / "photos"), "--model", str(written), "--out", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [([], "name at least one of --onnx"), (["--torch-export", "--float16"], "--float16 goes with --onnx and")],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], said: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), *options, "--out", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_not_written_here_stays(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x2.safetensors").write_text("mine")
    assert main(["export", str(run), "--safetensors", "--out", str(tmp_path)]) == 1
    assert "give --overwrite" in capsys.readouterr().err
    assert (tmp_path / "x2.safetensors").read_text() == "mine"
