"""The log for trackio, on the real package, in a folder on this machine."""

import importlib.util
import json
import sqlite3
from pathlib import Path

import pytest

from pdloss.records import read_log
from tests.training.loggers.stopped import train_in_two_pieces

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("trackio") is None, reason="trackio is not installed"),
    pytest.mark.filterwarnings("ignore"),  # of trackio about itself
]


def test_a_stopped_training_is_one_run_with_its_numbers_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # read when it is imported
    run = train_in_two_pieces(tmp_path, "trackio")
    assert capsys.readouterr().out == ""
    with sqlite3.connect(tmp_path / "trackio" / "pdloss.db") as store:
        rows = store.execute("select run_name, step, metrics from metrics").fetchall()
        settings = json.loads(store.execute("select config from configs").fetchone()[0])
    store.close()
    assert len({name for name, _, _ in rows}) == 1
    lines = [(step, json.loads(text)) for _, step, text in rows]
    course = {step: numbers["term/l1"] for step, numbers in lines if "term/l1" in numbers}
    assert course == pytest.approx({line.step: line.terms["l1"] for line in read_log(run / "log.jsonl")})
    assert settings["loss"] == "l1"
    assert len(list((tmp_path / "trackio" / "media").rglob("*.png"))) == 4, "of two photographs at two checkpoints"
