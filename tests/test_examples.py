"""The examples do what they say."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from types import ModuleType

import pytest

from pdloss.commands import train as train_command
from pdloss.metrics.ssim import minimum_side
from tests.runs_for_tests import photographs_in

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_loss_falls_in_a_loop_of_ones_own(tmp_path: Path):
    photographs_in(tmp_path, count=1, height=64, width=64)
    losses = example("own_training_loop").train(tmp_path / "photo0.png", steps=30)
    assert len(losses) == 30
    assert fmean(losses[-5:]) < 0.9 * fmean(losses[:5])


def without_package(command: Callable[..., int]) -> Callable[..., int]:
    """The same where no package can be had."""
    return lambda *arguments: 1 if arguments[0] == "assets" else command(*arguments)


def test_the_demo_ends_in_a_page_that_compares_the_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    demo = example("demo")
    monkeypatch.setattr(demo, "TRAIN", ("camera",))
    monkeypatch.setattr(demo, "HELD_OUT", ("chelsea",))
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    monkeypatch.setattr(demo, "pdloss", without_package(demo.pdloss))
    demo.demo(tmp_path / "demo", start=1, steps=1)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == str(tmp_path / "demo" / "report" / "index.html")
    assert [line.split()[2] for line in said.splitlines() if line.startswith("$ pdloss")] == [
        "train", "train", "train", "evaluate", "report",
    ]  # fmt: skip
    assert "how the pictures look is not measured" in said
    assert "lpips left out" in said
    page = (tmp_path / "demo" / "report" / "index.html").read_text()
    assert "l1-pdl" in page
    assert "chelsea" in page
    assert "<code>pdloss assets get lpips-alex alexnet-torchvision</code>" in page  # what would judge the looks


def test_the_demo_judges_on_photographs_that_it_did_not_train_on():
    demo = example("demo")
    assert not set(demo.TRAIN) & set(demo.HELD_OUT)


def test_the_demos_photographs_are_large_enough_for_every_score():
    demo = example("demo")
    sides = {name: min(demo.photograph(name).size) for name in (*demo.TRAIN, *demo.HELD_OUT)}
    assert {name: side for name, side in sides.items() if side < minimum_side()} == {}


def test_the_demos_runs_differ_in_their_loss_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    demo = example("demo")
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(demo, "pdloss", lambda *arguments: commands.append(arguments) or 0)
    monkeypatch.setattr(demo, "save", lambda names, folder: None)
    demo.demo(tmp_path)
    trainings = [arguments for arguments in commands if arguments[0] == "train"]
    start, one, other = (train_command.parse(list(arguments[1:])) for arguments in trainings)
    assert one.init == other.init == start.out
    assert {key for key in vars(one) if vars(one)[key] != vars(other)[key]} == {"out", "loss"}
