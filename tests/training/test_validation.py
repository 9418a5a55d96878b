"""Validation: the PSNR that evaluation gives, measured while training."""

from pathlib import Path

import pytest
import torch

from pdloss.evaluation import evaluate
from pdloss.images import read_image, write_image
from pdloss.records import read_log
from pdloss.runs import RunFolder
from pdloss.training.loop import train
from pdloss.training.validation import Validation
from pdloss.training.watching import Watcher
from tests.runs_for_tests import assert_same_bits, config, final_weights, photographs_in


class Notebook(Watcher):
    """Writes warnings down."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return photographs_in(tmp_path / "photographs", count=3)


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    stream = torch.Generator().manual_seed(9)
    for index in range(2):
        write_image(tmp_path / "held" / f"{index}.png", torch.rand(3, 24, 33, generator=stream))
    return tmp_path / "held"


def test_the_psnr_of_each_checkpoint_is_logged_and_that_of_evaluation(
    data: Path, held_out: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(config(data, run, valid=held_out, save_every=3, log_every=2, degradation="noise(sigma=0.1)"))
    measured = {line.step: line.valid for line in read_log(run / "log.jsonl")}
    assert {step for step, valid in measured.items() if valid} == {3, 6}
    scores = evaluate(run, held_out, metric_names=["psnr"]).scores
    expected = sum(image.restored["psnr"] for image in scores.images) / len(scores.images)
    assert measured[6]["psnr"] == pytest.approx(expected, abs=1e-4)
    assert measured[3] != measured[6]


def test_measuring_changes_nothing_of_the_training(data: Path, held_out: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "with", valid=held_out, save_every=2))
    train(config(data, tmp_path / "without", save_every=2))
    assert_same_bits(final_weights(tmp_path / "with"), final_weights(tmp_path / "without"))


def test_the_network_is_in_training_mode_again_afterwards(held_out: Path) -> None:
    class Half(torch.nn.Module):
        def forward(self, degraded: torch.Tensor) -> torch.Tensor:
            assert not self.training
            return degraded / 2

    network = Half()
    validation = Validation(held_out, lambda clean, generator: clean, torch.device("cpu"))
    errors = [read_image(path).div(2).mul(255).add(0.5).floor().div(255) - read_image(path) for path in
              sorted(held_out.iterdir())]  # fmt: skip
    expected = sum(-10 * error.square().mean().log10().item() for error in errors) / 2
    assert validation.measure(network)[0] == pytest.approx(expected, abs=1e-3)
    assert network.training


def test_photographs_that_are_trained_on_too_are_warned_of(data: Path, tmp_path: Path) -> None:
    copy = read_image(data / "photo1.png").mul(0.9)  # darker, under another name, among others
    write_image(tmp_path / "held" / "copy.png", copy)
    write_image(tmp_path / "held" / "other.png", torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(3)))
    notebook = Notebook()
    train(config(data, tmp_path / "run", valid=tmp_path / "held", steps=1), notebook)
    (warning,) = notebook.warnings
    assert warning.startswith(f"1 of the photographs in {tmp_path / 'held'} seem to be trained on too")
    assert "copy.png (as photo1.png)" in warning


def test_other_photographs_are_not_warned_of(data: Path, held_out: Path, tmp_path: Path) -> None:
    notebook = Notebook()
    train(config(data, tmp_path / "run", valid=held_out, steps=1), notebook)
    assert notebook.warnings == []


def test_the_run_keeps_by_what_its_photographs_are_known(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "run", steps=1))
    known = RunFolder(tmp_path / "run").photographs()
    assert list(known) == ["photo0.png", "photo1.png", "photo2.png"]
    assert all(len(digest) == 32 for digest in known.values())
    (tmp_path / "run" / "photographs.json").unlink()
    assert RunFolder(tmp_path / "run").photographs() == {}


def test_the_time_waited_for_data_is_logged_as_a_share(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "run"))
    shares = [line.waiting for line in read_log(tmp_path / "run" / "log.jsonl")]
    assert len(shares) == 3
    assert all(0 < share < 1 for share in shares)
