"""Runs whose words meant something else when they were written."""

import shutil
from pathlib import Path

from msgspec.structs import replace

from pdloss.records import RunRecord, read_record, write_record
from pdloss.runs import RunFolder
from pdloss.training.configuration import TrainConfig
from pdloss.training.loop import train


def config(out: Path, features: str) -> TrainConfig:
    return TrainConfig(
        data="deadleaves(images=2,size=64)", out=out, task="denoise", network="edsr(blocks=1,width=4,unshuffle=2)",
        steps=2, batch=1, crop=32, save_every=1, log_every=1, device="cpu", workers=0,
        loss=f"l1 + 0.1*pdl(features='{features}.relu4_3')",
    )  # fmt: skip


def as_written_before(run: Path) -> None:
    """Gives the record the name that the first edition had."""
    record = read_record(run / "config.json", RunRecord)
    (said,) = record.weights.values()
    loss = record.loss.replace("distilled-1", "distilled")
    assert loss != record.loss
    write_record(run / "config.json", replace(record, loss=loss, weights={"distilled": said}))


def test_a_run_on_the_first_distilled_features_goes_on_under_their_name_of_today(tmp_path: Path) -> None:
    train(config(tmp_path / "whole", "distilled-1"))
    shutil.copytree(tmp_path / "whole", tmp_path / "stopped")
    (tmp_path / "stopped" / "state.previous.safetensors").replace(tmp_path / "stopped" / "state.safetensors")
    (tmp_path / "stopped" / "weights" / "000000002.safetensors").unlink()
    as_written_before(tmp_path / "stopped")
    assert "distilled-1.relu4_3" in RunFolder(tmp_path / "stopped").record().loss
    assert train(config(tmp_path / "stopped", "distilled-1")).step == 2
    one, other = ((tmp_path / name / "weights" / "000000002.safetensors").read_bytes() for name in ("whole", "stopped"))
    assert one == other


def test_a_run_on_the_second_keeps_its_record(tmp_path: Path) -> None:
    train(config(tmp_path / "run", "distilled"))
    record = RunFolder(tmp_path / "run").record()
    assert "features='distilled.relu4_3'" in record.loss
    assert list(record.weights) == ["distilled"]
