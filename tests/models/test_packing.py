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
