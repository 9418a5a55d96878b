"""The command models: what ships, its cards, and one's own packed and measured."""

import shutil
from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.models import shelf
from tests.runs_for_tests import photographs_in, trained_run


def test_a_model_is_packed_measured_listed_and_restores_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "shelf"
    monkeypatch.setattr(shelf, "SHELF", own)
    assert main(["models"]) == 0
    assert capsys.readouterr().out == "no model ships with this copy of pdloss\n"
    data = photographs_in(tmp_path / "data", count=1)
    run = trained_run(tmp_path / "run", data, task="denoise", steps=1)
    assert main(["models", "pack", str(run), "--name", "tiny", "--data", "made up", "--out", str(own)]) == 0
    assert capsys.readouterr().out == f"{own / 'tiny.safetensors'}\n"
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.startswith("tiny          denoise   0.0")
    assert main(["models", "path", "tiny"]) == 0
    assert capsys.readouterr().out == f"{own / 'tiny.safetensors'}\n"
    assert main(["models", "card", "tiny"]) == 1
    assert "pdloss models evaluate tiny writes one" in capsys.readouterr().err
    argv = ["models", "evaluate", "tiny", "--data", str(data), "--out", str(tmp_path / "out"), "--metrics", "psnr"]
    assert main([*argv, "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'tiny.md'}\n"
    shutil.copy(tmp_path / "out" / "tiny.md", own)
    assert main(["models", "card", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("# tiny\n")
    restored = tmp_path / "restored.png"
    assert main(["restore", str(data / "photo0.png"), "--model", "tiny", "--out", str(restored)]) == 0
    assert restored.exists()


def test_a_name_that_nothing_has_is_answered_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photographs_in(tmp_path, count=1)
    assert (
        main(["restore", str(tmp_path / "photo0.png"), "--model", "no-such-model", "--out", str(tmp_path / "o")]) == 1
    )
    assert "no-such-model is no model that ships, and no run folder or file" in capsys.readouterr().err
