"""The log for TensorBoard."""

import os
from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.records import read_log
from pdloss.training.loop import train
from tests.runs_for_tests import config, photographs_in
from tests.training.loggers.stopped import train_in_two_pieces

pytest.importorskip("tensorboard")


def test_a_stopped_training_is_one_course_with_pictures(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train_in_two_pieces(tmp_path, "tensorboard")
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    log = read_log(run / "log.jsonl")
    for name, values in {"term/l1": [line.terms["l1"] for line in log], "lr": [line.lr for line in log]}.items():
        shown = events.Scalars(name)
        assert [event.step for event in shown] == [1, 2, 3, 4, 5, 6]
        assert [event.value for event in shown] == pytest.approx(values)
    assert {"total", "gradient/l1", "valid/psnr"} <= set(events.Tags()["scalars"])
    pictures = events.Images("valid/photo0.png")
    assert [picture.step for picture in pictures] == [3, 6]
    assert (pictures[0].height, pictures[0].width) == (24, 90)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tensorboard").mkdir(mode=0o500)
    with pytest.raises(RunError, match="tensorboard cannot be written"):
        train(config(photographs_in(tmp_path / "data"), tmp_path / "run", log="tensorboard"))
