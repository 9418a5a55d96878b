"""``pdloss calibrate`` as typed."""

from pathlib import Path

import pytest

from pdloss.commands.calibrate import main
from pdloss.losses import objective
from tests.runs_for_tests import photographs_in, trained_run

SMALL = ["--loss", "l1 + pdl(features='distilled.relu3_3')", "--share", "0.7", "--batches", "2", "--batch", "2"]


def test_the_last_line_is_the_loss_to_train_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = photographs_in(tmp_path / "photographs")
    options = ["--data", str(data), "--network", "edsr(blocks=1, width=8, unshuffle=2)", "--crop", "16"]
    assert main([*SMALL, *options]) == 0
    said = capsys.readouterr().out.splitlines()
    first, second = objective(said[-1]).terms
    assert first[0] == 1.0
    assert second[0] > 0
    assert f"{second[0]:.3g}*pdl(features='distilled.relu3_3')" in said[-1]
    rows = {line.split()[0]: line.split() for line in said if line.startswith(" ") and len(line.split()) > 5}
    assert rows["l1"][-2:] == ["1", "30.0%"]
    assert rows["pdl"][-2:] == [f"{second[0]:.3g}", "70.0%"]
    assert "--init RUN" in " ".join(said)


def test_a_trained_run_needs_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = photographs_in(tmp_path / "photographs")
    run = trained_run(tmp_path / "run", data, steps=2)
    assert main([*SMALL, "--data", str(data), "--init", str(run)]) == 0
    said = capsys.readouterr().out
    assert "warning" not in said
    assert objective(said.splitlines()[-1]).terms[1][0] > 0


def test_wrong_usage_ends_with_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--loss", "l1 + pdl"])
    assert stop.value.code == 2
    assert "--data" in capsys.readouterr().err
