"""Crafted pictures and headers are refused in a sentence, or read as what they are; a batch goes on after them."""

from pathlib import Path

import pytest

from tests.fuzz import files
from tests.runs_for_tests import photographs_in, trained_run


def test_mutated_pictures_are_pictures_or_refused(tmp_path: Path) -> None:
    findings = files.mutate_pictures(tmp_path, 110, seed=1)
    assert findings.faults == []
    assert findings.refused > 40
    assert findings.unchanged > 10


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was evaluated."""
    from pdloss.evaluation import evaluate

    folder = tmp_path_factory.mktemp("files")
    data = photographs_in(folder / "photographs")
    run = trained_run(folder / "run", data, steps=2)
    evaluate(run, data, metric_names=["psnr"])
    return run


def test_mutated_headers_and_records_are_refused_or_hold_what_was_written(run: Path, tmp_path: Path) -> None:
    (scores,) = (run / "scores").glob("*.json")
    findings = files.mutate_headers(tmp_path, run / "config.json", scores, 90, seed=1)
    assert findings.faults == []
    assert findings.refused > 50


def test_a_batch_with_mutated_pictures_goes_on_to_the_sound_ones(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.mutate_pictures(tmp_path / "pictures", 30, seed=2)
    photographs_in(tmp_path / "pictures", 1)
    assert files.restored_in_one_batch(tmp_path / "pictures", run, tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "not restored" in said.err + said.out
    assert "Traceback" not in said.err
    assert (tmp_path / "out" / "photo0.png").exists()
