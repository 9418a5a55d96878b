"""Loggers by name, several at once, and what becomes of one that fails."""

import sys
import types
from pathlib import Path

import pytest

from pdloss.errors import MissingExtraError, SpecError
from pdloss.records import LogLine
from pdloss.training.loggers import LOGGERS, names_of
from pdloss.training.loggers.choosing import with_loggers
from pdloss.training.loop import train
from pdloss.training.watching import Watcher
from tests.runs_for_tests import assert_same_bits, config, final_weights, photographs_in


class Diary(Watcher):
    """Writes down what it is told, under a name."""

    def __init__(self, out: Path) -> None:
        self.told: list[str] = []
        diaries.append(self)

    def warn(self, text):
        self.told.append(f"warned: {text}")

    def start(self, record, state, photographs, why):
        self.told.append(f"start {state.step}")

    def step(self, step, terms):
        self.told.append(f"step {step}")

    def log(self, line):
        self.told.append(f"log {line.step}")

    def pictures(self, step, pictures):
        self.told.append(f"pictures {step}: {[picture.name for picture in pictures]}")

    def end(self, failed):
        self.told.append(f"end, failed: {failed}")


class Broken(Diary):
    """A logger whose network is down."""

    def log(self, line: LogLine) -> None:
        raise ConnectionError("no route to host")


diaries: list[Diary] = []


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    diaries.clear()
    for name in ("first", "second"):
        monkeypatch.setitem(LOGGERS, name, "own_loggers:Diary")
    monkeypatch.setitem(LOGGERS, "broken", "own_loggers:Broken")
    own = types.ModuleType("own_loggers")
    own.Diary, own.Broken = Diary, Broken
    monkeypatch.setitem(sys.modules, "own_loggers", own)


def test_several_are_told_the_same_in_the_order_of_what_happens(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "data")
    trainer = Diary(tmp_path)
    train(config(data, tmp_path / "run", valid=data, save_every=3, log="first,second", steps=4), trainer)
    names = ["photo0.png", "photo1.png"]
    expected = ["start 0", "step 1", "step 2", "log 2", "step 3", f"pictures 3: {names}", "log 3", "step 4",
                f"pictures 4: {names}", "log 4", "end, failed: False"]  # fmt: skip
    _, first, second = diaries
    assert first.told == second.told == expected
    assert [said for said in trainer.told if not said.startswith("warned")] == expected


def test_one_that_fails_is_said_and_told_no_more_and_the_training_is_as_without(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "data")
    trainer = Diary(tmp_path)
    train(config(data, tmp_path / "with", log="broken,first"), trainer)
    train(config(data, tmp_path / "without"))
    _, broken, other = diaries
    assert [said for said in trainer.told if said.startswith("warned")] == [
        "warned: nothing more is logged to Broken: ConnectionError: no route to host"
    ]
    assert broken.told == ["start 0", "step 1", "step 2"]
    assert other.told[-1] == "end, failed: False"
    assert_same_bits(final_weights(tmp_path / "with"), final_weights(tmp_path / "without"))


def test_the_end_of_a_training_that_failed_is_told_as_such(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "data")

    class Interrupted(Watcher):
        def log(self, line: LogLine) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config(data, tmp_path / "run", log="first"), Interrupted())
    assert diaries[0].told[-1] == "end, failed: True"


def test_an_unknown_name_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown logger 'tensorbord'; did you mean 'tensorboard'"):
        train(config(tmp_path / "missing", tmp_path / "run", log="tensorbord"))
    assert names_of("") == []


@pytest.mark.parametrize(
    ("name", "package"),
    [("tensorboard", "torch.utils.tensorboard.writer"), *((name, name) for name in ("mlflow", "trackio", "wandb"))],
)
def test_a_missing_package_is_named_with_its_extra(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"^{name} is not installed.*'pdloss\[{name}\]'"):
        with_loggers(Watcher(), [name], tmp_path)
