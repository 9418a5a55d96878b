"""A distillation that was stopped goes on, bit for bit; what is not its own is refused."""

from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.training import teacher_batches
from pdloss.training.configuration import DistillConfig
from pdloss.training.distillation import distill
from tests.training.test_distillation import configuration, folders, teacher

__all__ = ["folders", "teacher"]  # fixtures


class Killed(BaseException):
    """Ends a training as a kill does: nothing of it catches this."""


def stopped(config: DistillConfig, after: int) -> None:
    def progress(step: int, _: object) -> None:
        if step == after:
            raise Killed

    with pytest.raises(Killed):
        distill(config, progress)


def test_stopping_and_going_on_changes_no_bit(folders, teacher, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(teacher_batches, "KEPT", 3)
    options = {"steps": 20, "save_every": 4}
    whole = configuration(folders, tmp_path / "whole.safetensors", **options)
    distill(whole)
    parts = configuration(folders, tmp_path / "parts.safetensors", **options)
    for after in (3, 6, 13):  # before anything was kept, and twice behind what was
        stopped(parts, after)
    begun: list[int] = []
    distill(parts, lambda step, _: begun.append(step))
    assert begun == list(range(13, 21))
    assert parts.out.read_bytes() == whole.out.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == [
        "parts.safetensors",
        "whole.safetensors",
    ]


def test_another_distillation_does_not_go_on_from_it(folders, teacher, tmp_path: Path) -> None:
    config = configuration(folders, tmp_path / "a.safetensors", steps=8, save_every=2)
    stopped(config, 5)
    other = configuration(folders, config.out, steps=8, save_every=3, differences=0.5)
    with pytest.raises(RunError, match=r"beginning of another distillation \(differences was 0.1, is 0.5\); give"):
        distill(other)
    kept = tmp_path / "a.safetensors.unfinished" / "state.safetensors"
    kept.write_bytes(kept.read_bytes()[:-10])
    with pytest.raises(RunError, match="state.safetensors is .*damaged"):
        distill(config)
