"""The log for Weights & Biases, on the real package, offline."""

import struct
from pathlib import Path

import pytest

from pdloss.records import read_log
from tests.training.loggers.stopped import train_in_two_pieces

wandb = pytest.importorskip("wandb")
pytestmark = pytest.mark.filterwarnings("ignore")  # of W&B about itself


def records_in(file: Path) -> list:
    """Everything that a run wrote to be sent later: LevelDB's log, in blocks of 32 KiB, after a head of 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    data, at, found, whole = file.read_bytes(), 7, [], b""
    while at < len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left  # too few for another head: padding
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part of one
            found.append(wandb_internal_pb2.Record.FromString(whole))
            whole = b""
    return found


def test_a_stopped_training_goes_on_under_the_same_id_with_its_numbers_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"WANDB_MODE": "offline", "WANDB_CONFIG_DIR": tmp_path, "WANDB_CACHE_DIR": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    run = train_in_two_pieces(tmp_path, "wandb")
    files = sorted((run / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 2
    assert len({file.name for file in files}) == 1, "the id is in the name"
    records = [record for file in files for record in records_in(file)]
    course: dict[int, float] = {}
    for record in records:
        items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        if "term/l1" in items:
            course[int(items["_step"])] = float(items["term/l1"])
    assert course == pytest.approx({line.step: line.terms["l1"] for line in read_log(run / "log.jsonl")})
    (settings,) = {item.value_json for record in records for item in record.run.config.update if item.key == "loss"}
    assert settings == '"l1"'
    assert len(list((run / "wandb").glob("offline-run-*/files/media/images/valid/photo0.png_*.png"))) == 2
