"""The command models: what ships, its cards, and one's own packed, measured and shared."""

# ruff: noqa: F401, F811  (a fixture is imported, and then named again as an argument)

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.files.tensors import write_tensors
from pdloss.models import shelf
from pdloss.networks import network
from pdloss.records import ModelConfig, write_record
from pdloss.runs import RunFolder
from tests.models.hub_server import Hub, hub
from tests.runs_for_tests import photographs_in, trained_run

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


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
    further = ["--data", str(data), "--init", "tiny"]
    assert main(["train", *further, "--out", str(tmp_path / "further"), "--steps", "1", "--loss", "l1"]) == 0
    assert main(["calibrate", *further, "--loss", "l1 + l2", "--share", "0.5", "--batches", "1"]) == 0
    assert RunFolder(tmp_path / "further").record().init == str(own / "tiny.safetensors")
    capsys.readouterr()
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


def test_a_run_is_shown_written_pushed_and_used_by_its_name(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photographs_in(tmp_path / "data", count=1)
    trained_run(tmp_path / "runs" / "tiny", tmp_path / "data", task="denoise", steps=1)
    push = ["models", "push", "runs/tiny", "anna/tiny", "--data", "made up", "--licence", "mit"]
    assert main([*push, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert not hub.asked and shown.startswith("Nothing is sent. In the repository anna/tiny would stand:\n")
    assert main([*push, "--out", "shared"]) == 0
    assert not hub.asked
    files = {file.name: file.read_bytes() for file in (tmp_path / "shared").iterdir() if not file.name.startswith(".")}
    for name, content in files.items():
        assert f"  {name:<20}{len(content):>14,} bytes\n" in shown
    assert files["README.md"].decode() in shown and files["config.json"].decode() in shown
    assert main(["models", "push", "shared", "anna/tiny", "--private"]) == 0
    assert hub.commits["anna/tiny"] == [{}, files] and hub.private == {"anna/tiny"}
    capsys.readouterr()
    assert main(["models", "card", "anna/tiny"]) == 0
    assert capsys.readouterr().out == files["README.md"].decode()
    for model, out in (("anna/tiny", "a.png"), ("runs/tiny", "b.png")):
        assert main(["restore", "data/photo0.png", "--model", model, "--out", out]) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert main(["export", "anna/tiny", "--safetensors", "--out", "exported"]) == 0
    assert Path("exported/tiny.safetensors").exists()
    assert main(["models", "evaluate", "anna/tiny", "--data", "data", "--out", "m", "--metrics", "psnr"]) == 0
    assert "Measured by `pdloss models evaluate tiny`" in Path("m/tiny.md").read_text(encoding="utf-8")


def test_what_is_no_repository_or_would_be_replaced_is_refused(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["models", "push", "x", "anna", "--dry-run"]) == 1
    assert "anna is no repository of the Hub: write owner/name" in capsys.readouterr().err
    trained_run(tmp_path / "tiny", photographs_in(tmp_path / "data", count=1), task="denoise", steps=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("mine")
    push = ["models", "push", "tiny", "anna/tiny", "--data", "made up", "--licence", "mit", "--out", "out"]
    assert main(push) == 1 and "README.md" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["README.md"]
    assert main([*push, "--overwrite"]) == 0
    assert main(["models", "card", "tiny"]) == 1
    assert "pdloss models push tiny OWNER/NAME --dry-run shows what it would have" in capsys.readouterr().err


def test_a_card_cannot_steer_the_terminal(tmp_path: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").touch()
    (folder / "README.md").write_text("# card\x1b]0;title\x07\n\tcode\x9b2J \u202eevil\n", encoding="utf-8")
    assert main(["models", "card", str(folder)]) == 0
    assert capsys.readouterr().out == "# card\\x1b]0;title\\x07\n    code\\x9b2J \\x202eevil\n"


def test_the_hubs_own_variables_hold(tmp_path: Path, hub: Hub) -> None:
    network_text = "edsr(scale=1, blocks=1, width=4)"
    write_tensors(tmp_path / "model.safetensors", network(network_text).state_dict())
    config = ModelConfig(made_by="a test", network=network_text, parameters=1, licence="mit")
    write_record(tmp_path / "config.json", config)
    files = {name: (tmp_path / name).read_bytes() for name in ("model.safetensors", "config.json")}
    hub.add("anna/tiny", **files, **{"README.md": b"# a card\n"})
    hub.private.add("anna/tiny")
    hub.token = "hf_right"
    command = [sys.executable, "-m", "pdloss", "models", "card", "anna/tiny"]
    usual = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "PDLOSS_OFFLINE": "0"}
    for variables, said in (
        ({}, b"it is private and you may not see it"),
        ({"HF_TOKEN": "hf_right"}, b"# a card\n"),
        ({"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}, b"# a card\n"),
    ):
        ended = subprocess.run(command, env={**usual, **variables}, cwd=tmp_path, capture_output=True, check=False)
        assert said in (ended.stdout or ended.stderr), ended.stderr
