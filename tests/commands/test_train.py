"""``pdloss train`` and its neighbours as a user types them."""

import json
import re
from pathlib import Path

import pytest
import torch

from pdloss.cli import main
from pdloss.commands.progress import Bar
from pdloss.commands.train import parse
from pdloss.commands.training_display import Display
from pdloss.images import write_image
from pdloss.losses import objective
from pdloss.records import LogLine
from pdloss.training.configuration import TrainConfig
from pdloss.training.recipes import BUDGETS, RECIPES
from tests.runs_for_tests import photographs_in

TINY = ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--crop", "16", "--batch", "2", "--log-every", "2"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of two small pictures."""
    return photographs_in(tmp_path / "photographs")


def test_trains_evaluates_restores_and_reports(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(tmp_path / "runs" / name) for name in ("first", "second")]
    for run, loss in zip(runs, ("l1", "l2"), strict=True):
        assert main(["train", "--data", str(data), "--out", run, "--loss", loss, "--steps", "4", *TINY]) == 0
    assert capsys.readouterr().out.split() == runs
    assert main(["evaluate", *runs, "--data", str(data), "--metrics", "psnr,psnr_y"]) == 0
    table = capsys.readouterr().out
    assert (
        table.index(" input ") < table.index(" first ") < table.index(" second ") < table.index("input: noise(sigma=")
    )
    assert "RGB, whole image" in table
    assert main(["restore", str(data / "photo0.png"), "--model", runs[0], "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "photo0.png")
    assert main(["report", *runs, "--out", str(tmp_path / "report")]) == 0
    assert Path(capsys.readouterr().out.strip()).read_text().startswith("<!DOCTYPE html>")


def test_a_configuration_is_repeated_and_overridden(data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["train", "--data", str(data), "--out", str(first), "--loss", "l2", "--steps", "2", *TINY]) == 0
    config = str(first / "config.json")
    assert main(["train", "--config", config, "--out", str(second), "--steps", "3"]) == 0
    before, after = (json.loads((run / "config.json").read_text()) for run in (first, second))
    assert after["steps"] == 3
    same = ("loss", "network", "degradation", "batch", "crop", "lr", "seed", "data_fingerprint", "precision")
    assert [before[key] for key in same] == [after[key] for key in same]
    assert parse([f"--config={config}", "--out", "x", "--lr", "0.5"]).lr == 0.5


def test_the_start_says_by_what_the_photographs_are_degraded_and_why(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, base = tmp_path / "first", ["train", "--data", str(data), "--loss", "l1", "--steps", "1", *TINY]
    assert main([*base, "--out", str(first), "--task", "jpeg"]) == 0
    assert "degraded by jpeg(" in (said := capsys.readouterr().err)
    assert "the default of the task jpeg" in said
    assert main([*base, "--out", str(tmp_path / "second"), "--init", str(first)]) == 0
    assert "degraded by jpeg(" in (said := capsys.readouterr().err)
    assert f"as {first} was trained" in said
    assert main([*base, "--out", str(tmp_path / "third"), "--init", str(first), "--degradation", "noise"]) == 0
    assert "degraded by noise(sigma=0.39215686274509803, clip=True), as asked for" in capsys.readouterr().err


def test_a_recipe_gives_the_options_and_asks_for_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = parse(["--recipe", "srgan", "--data", "photos", "--out", "run", "--init", "pixels", "--batch", "4"])
    assert (chosen.task, chosen.crop, chosen.batch, chosen.init) == ("sr", 96, 4, Path("pixels"))
    assert objective(chosen.loss).names() == ["l1", "perceptual", "adversarial"]
    with pytest.raises(SystemExit):
        parse(["--recipe=srgan", "--data", "photos", "--out", "run"])
    assert "--init" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "srgn"], "did you mean 'srgan'"),
        (["--recipe"], "--recipe needs a value, such as srgan"),
        (["--recipe", "srgan", "--recipe", "srgan"], "--recipe is given twice"),
        (["--recipe", "srgan", "--budget", "cpu"], "take one of them"),
        (["--budget", "cpus"], "did you mean 'cpu'"),
        (["--budget", "day", "--task", "derain"], "unknown task"),
        (["--loss", "l1 + 0.1*pld"], "did you mean 'pdl'"),
        (["--loss", "pdl(features='vgg16.relu4_3')"], "distilled"),
        (["--network", "edsr(blocks='many')"], "expected"),
        (["--steps", "0"], "--steps must be at least 1"),
        (["--config", "nowhere.json"], "nowhere.json does not exist"),
        (["--init", "nowhere.safetensors"], "nowhere.safetensors does not exist"),
    ],
)
def test_a_mistake_is_one_line_without_a_traceback(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    base = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--loss", "l1", "--steps", "2", *TINY]
    assert main([*base, *options]) == 1
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert complaint.startswith("pdloss: ")
    assert message.lower() in complaint.lower()


@pytest.mark.parametrize(
    ("folder", "message"),
    [("nowhere", "does not exist"), ("empty", "holds no image"), ("small", "smaller than the crop")],
)
def test_unusable_data_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    write_image(tmp_path / "small" / "tiny.png", torch.rand(3, 8, 9))
    assert main(["train", "--data", str(tmp_path / folder), "--out", str(tmp_path / "run"), "--loss", "l1", *TINY]) == 1
    complaint = capsys.readouterr().err
    assert complaint.count("pdloss: ") == 1
    assert message in complaint
    assert not (tmp_path / "run").exists()


def test_an_output_folder_that_cannot_be_made_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "run"
    assert main(["train", "--data", str(data), "--out", str(out), "--loss", "l1", "--steps", "2", *TINY]) == 1
    complaint = capsys.readouterr().err.strip()
    assert "Not a directory" in complaint
    assert str(tmp_path / "file") in complaint


def test_of_several_processes_the_first_speaks(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = ["train", "--data", str(data), "--loss", "l1", "--steps", "1", *TINY]
    for rank, said in (("0", f"{tmp_path / '0'}\n"), ("1", "")):
        monkeypatch.setenv("RANK", rank)
        assert main([*base, "--out", str(tmp_path / rank)]) == 0
        assert capsys.readouterr().out == said


def test_a_log_for_another_program_is_written_beside_the_bar(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    run = tmp_path / "run"
    options = ["--data", str(data), "--out", str(run), "--loss", "l1", "--steps", "4", "--log", "tensorboard", *TINY]
    assert main(["train", *options]) == 0
    assert list((run / "tensorboard").glob("events.*"))
    capsys.readouterr()
    assert main(["train", *options, "--tensorboard"]) == 2
    assert "write --log tensorboard" in capsys.readouterr().err


def test_a_budget_gives_the_options_of_its_task() -> None:
    given = ["--data", "photos", "--out", "run"]
    chosen = parse(["--budget", "cpu", "--task=sr", *given, "--steps", "7"])
    network = "edsr(scale=4, blocks=8, upsampling='resize')"
    assert (chosen.task, chosen.network, chosen.crop, chosen.steps) == ("sr", network, 128, 7)
    assert parse(["--budget=day", *given]).task == "denoise"


def test_time_lost_on_data_is_told_with_the_cure() -> None:
    lines = [
        LogLine(step=s, seconds=1.0, lr=0.1, total=1.0, terms={}, gradients={}, waiting=w)
        for s, w in ((1, 0.3), (2, 0.5))
    ]
    for workers, cure in ((None, "--workers 2"), (4, "more --workers")):
        display = Display(TrainConfig(data="photos", out=Path(), workers=workers), Bar("training"))
        assert display.advice() == ""
        for line in lines:
            display.log(line)
        assert display.advice().startswith("40% of the time")
        assert cure in display.advice()


def test_the_options_that_give_the_defaults_stand_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    said = capsys.readouterr().out
    table = said[said.index("options") :]
    for option in ("--config", "--recipe", "--budget", "--data", "--loss"):
        assert re.search(rf"^\W*{option} ", table, re.MULTILINE), option
    for name in (*RECIPES, *BUDGETS):
        assert name in table
