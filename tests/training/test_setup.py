"""A training set up: every option said once, and the run's record made of them."""

import dataclasses
from pathlib import Path

import pytest
import torch

from benchmarks.configuration_path import way
from pdloss.errors import SpecError
from pdloss.records import RunRecord
from pdloss.training.configuration import CalibrateConfig, DistillConfig, TrainConfig
from pdloss.training.ranks import Ranks
from pdloss.training.recording import recorded, repeated
from pdloss.training.setup import set_up
from pdloss.training.watching import Watcher
from tests.runs_for_tests import config, photographs_in


def test_a_setup_says_what_was_left_to_defaults_and_its_record_says_the_same(tmp_path: Path) -> None:
    asked = config(
        photographs_in(tmp_path / "photographs"), tmp_path / "run", task=None, precision="auto", device="auto"
    )
    setup = set_up(asked, Ranks(device=torch.device("cpu")), Watcher())
    assert (setup.options.task, setup.options.device) == ("denoise", "cpu")
    assert setup.options.precision in ("float32", "bfloat16")
    assert setup.options.network is not None and setup.options.network.startswith("edsr(scale=1, blocks=1, width=8")
    for option in dataclasses.fields(TrainConfig):
        if option.name in RunRecord.__struct_fields__ and option.name != "init":
            assert getattr(setup.record, option.name) == getattr(setup.options, option.name), option.name
    assert (setup.record.images, setup.photographs.fingerprint) == (2, setup.record.data_fingerprint)
    assert not (tmp_path / "run").exists(), "nothing is written before it begins"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setup.options.steps = 7  # type: ignore[misc]


def test_options_come_back_from_a_record_as_they_were_whatever_bytes_their_paths_are_made_of(tmp_path: Path) -> None:
    asked = config(photographs_in(tmp_path / "photographs"), tmp_path / "run")
    setup = set_up(asked, Ranks(device=torch.device("cpu")), Watcher())
    odd = dataclasses.replace(setup.options, init=Path("caf\udce9"), valid=Path("two\nlines"))
    record = RunRecord(
        **recorded(odd), parameters=1, images=1, data_fingerprint="", weights={}, versions={}, commit=None, created=""
    )
    assert record.init == r"caf\xe9"
    again = repeated(record)
    kept = [field.name for field in dataclasses.fields(TrainConfig) if field.name in RunRecord.__struct_fields__]
    assert {name: getattr(again, name) for name in kept} == {name: getattr(odd, name) for name in kept}


@pytest.mark.parametrize(
    "options",
    [
        TrainConfig(data="", out=Path()),
        CalibrateConfig(data="", loss="l1 + l2", share=(0.5,)),
        DistillConfig(images=(), check=Path(), out=Path()),
    ],
    ids=lambda options: type(options).__name__,
)
def test_the_three_verbs_refuse_the_same_of_the_options_that_they_share(
    options: TrainConfig | CalibrateConfig | DistillConfig,
) -> None:
    options.validate()
    for name, value in (("batch", 0), ("crop", 0), ("seed", -1)):
        with pytest.raises(SpecError, match=f"--{name} must be .*, got {value}"):
            dataclasses.replace(options, **{name: value}).validate()


def test_options_go_straight_from_the_command_line_to_the_first_step(tmp_path: Path) -> None:
    train = ["--data", "deadleaves(images=2, size=48)", "--out", str(tmp_path / "run"), "--loss", "l1", "--steps", "1"]
    entered = way([*train, "--network", "edsr(blocks=1, width=4)", "--batch", "2", "--crop", "16", "--device", "cpu"])
    modules = [module.removeprefix("pdloss.") for module, _ in entered]
    back = [module for place, module in enumerate(modules) if module in modules[:place]]
    assert modules[:4] == ["training.loop", "training.configuration", "training.setup", "training.resolving"]
    # Choices come before folders, the set-up begins, the loop loops and asks when to log: more would be a detour.
    assert back == ["training.resolving", "training.setup", "training.loop", "training.configuration"]
