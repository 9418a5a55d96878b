"""A model's file: half the run's weights in size, and all that its card says."""

from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from pdloss.errors import RunError
from pdloss.evaluation import load_network
from pdloss.files.tensors import read_tensors
from pdloss.models import packing
from pdloss.models.packing import model_of, pack, unpack
from pdloss.records import TrainedOn, read_record, write_record
from pdloss.runs import RunFolder
from tests.models.conftest import TERMS, Made
from tests.runs_for_tests import photographs_in, trained_run


def test_the_weights_are_the_runs_in_half_precision_and_restore(made: Made) -> None:
    run = read_tensors(RunFolder(made.run).latest_weights()[1]).tensors
    packed = read_tensors(made.file).tensors
    assert run.keys() == packed.keys()
    for name, tensor in packed.items():
        assert tensor.dtype == torch.float16 and torch.equal(tensor, run[name].half())
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, half = (load_network(each, torch.device("cpu"))(image) for each in (made.run, made.file))
    assert 0 < (whole - half).abs().max() < 0.01


def test_all_trainings_on_the_way_are_told_without_places(made: Made) -> None:
    model = model_of(made.file)
    assert (model.name, model.data) == ("tiny", TERMS)
    assert [(stage.record.seed, stage.step) for stage in model.stages] == [(0, 40), (1, 3)]
    assert model.last.init == "training 1" and model.last.data == TERMS
    assert set(model.trained_on) == {"picture 1", "picture 2"}
    assert set(model.trained_on.values()) == set(RunFolder(made.run).photographs().values())
    said = made.file.read_bytes().decode("latin-1")
    assert [name for name in (str(made.run.parent), "trained_on/", "photo0", "threads") if name in said] == []


def test_a_run_may_go_on_from_a_model_which_tells_of_the_trainings_before(made: Made, tmp_path: Path) -> None:
    usual = {"degradation": "jpeg(quality=10..95)", "task": "jpeg", "seed": 2, "steps": 2}
    run = trained_run(tmp_path / "run", photographs_in(tmp_path / "others", count=3), init=made.file, **usual)
    model = model_of(pack(run, "further", tmp_path, data=TERMS))
    assert [(stage.record.seed, stage.step) for stage in model.stages] == [(0, 40), (1, 3), (2, 2)]
    assert [stage.record.init for stage in model.stages] == [None, "training 1", "training 2"]
    pictures = set(model_of(made.file).trained_on.values()) | set(RunFolder(run).photographs().values())
    assert set(model.trained_on.values()) == pictures and len(pictures) == 3


def test_a_run_that_went_on_from_weights_of_which_nothing_is_known_does_not_ship(made: Made, tmp_path: Path) -> None:
    weights = RunFolder(made.run).latest_weights()[1]
    run = trained_run(tmp_path / "run", made.data, init=weights, task="jpeg", degradation="jpeg(quality=10..95)")
    with pytest.raises(RunError, match="is no model that pdloss models pack wrote"):
        pack(run, "further", tmp_path, data=TERMS)


def test_a_model_becomes_a_run_again(made: Made, tmp_path: Path) -> None:
    folder = unpack(made.file, tmp_path / "run")
    assert folder.record() == model_of(made.file).last
    assert folder.photographs() == model_of(made.file).trained_on
    step, file = folder.latest_weights()
    assert step == 3 and read_tensors(file).verified


def test_who_was_trained_on_what_is_measured_does_not_ship(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = RunFolder(made.start).photographs()["photo1.png"]
    monkeypatch.setattr("pdloss.models.measured.measured_sets", lambda: {"kodak24": {"kodim01.png": shown}})
    with pytest.raises(RunError, match=r"was trained on pictures that models are measured on: kodim01.png of kodak24"):
        pack(made.run, "tiny", tmp_path, data=TERMS)
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_one_name_in_two_folders_both_count(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = RunFolder(made.start).photographs()["photo1.png"]
    others = photographs_in(tmp_path / "others", count=2, height=48)
    run = trained_run(tmp_path / "run", others, init=made.start, task="jpeg", degradation="jpeg(quality=10..95)")
    assert shown not in RunFolder(run).photographs().values()
    monkeypatch.setattr("pdloss.models.measured.measured_sets", lambda: {"kodak24": {"kodim01.png": shown}})
    with pytest.raises(RunError, match=r"kodim01.png of kodak24 \(as .*start/photo1.png\)"):
        pack(run, "tiny", tmp_path, data=TERMS)


def test_what_is_not_finished_too_large_or_does_not_tell_is_refused(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = unpack(made.file, tmp_path / "run")
    record = replace(run.record(), init=None)
    write_record(run.config, replace(record, steps=9))
    with pytest.raises(RunError, match="stands at step 3 of 9: train it to its end first"):
        pack(run.path, "tiny", tmp_path, data=TERMS)
    write_record(run.config, record)
    monkeypatch.setattr(packing, "MOST_BYTES", 100)
    with pytest.raises(RunError, match=r"a model that ships at most 100: train a smaller network"):
        pack(run.path, "tiny", tmp_path, data=TERMS)
    write_record(run.path / "photographs.json", TrainedOn(images={}))
    with pytest.raises(RunError, match="does not tell which pictures"):
        pack(run.path, "tiny", tmp_path, data=TERMS)
    assert read_record(run.config, type(record)) == record


def test_another_file_is_no_model(made: Made) -> None:
    with pytest.raises(RunError, match="is no model that pdloss models pack wrote"):
        model_of(RunFolder(made.run).latest_weights()[1])
