"""What a student learns from at a step is a matter of the seed and the step alone, also when begun there."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pdloss import datasets
from pdloss.images import write_image
from pdloss.training import teacher_batches
from pdloss.training.distillation import degrade
from pdloss.training.pattern_pairs import changes
from pdloss.training.teacher_batches import TeacherBatches


class Doubled(nn.Module):
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"twice": 2 * images}


@pytest.fixture
def sources(tmp_path: Path) -> list[datasets.Crops]:
    made = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        for index in range(2):
            stream = torch.Generator().manual_seed(10 * seed + index)
            write_image(folder / f"{index}.png", torch.rand(3, 30, 30, generator=stream))
        made.append(datasets.Crops(datasets.Photographs(folder), degrade, size=16, seed=1, batch=4))
    return made


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("begin", [1, 2, 9, 14, 19])
def test_begun_later_the_same_batches_follow(
    begin: int, paired: bool, sources: list[datasets.Crops], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher_batches, "KEPT", 3)
    chosen = {"seed": 5, "steps": 20, "reuse": 2, "paired": paired}
    whole = TeacherBatches(Doubled(), sources, **chosen)
    expected = [whole.at(step) for step in range(20)]
    later = TeacherBatches(Doubled(), sources, **chosen, begin=begin)
    for step in range(begin, 20):
        batch = later.at(step)
        assert torch.equal(batch.images, expected[step].images)
        assert torch.equal(batch.maps["twice"], expected[step].maps["twice"])
        assert batch.changes.keys() == expected[step].changes.keys()
    assert len({float(batch.images.sum()) for batch in expected}) > 5


def test_batches_come_from_the_sources_in_turn(sources: list[datasets.Crops], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher_batches, "KEPT", 1)
    given = TeacherBatches(Doubled(), sources, seed=0, steps=5, reuse=1, paired=False)
    for step in range(5):
        own = next(datasets.batches(sources[step % 3], step // 3, step // 3 + 1))
        assert torch.equal(given.at(step).images, own.degraded)


def test_the_teachers_changes_are_not_lost_in_half_precision(sources: list[datasets.Crops]) -> None:
    batch = TeacherBatches(Doubled(), sources, seed=0, steps=1, reuse=1, paired=True).at(0)
    exact = 2 * changes(batch.images)
    error = (batch.changes["twice"].float() - exact).abs().max() / exact.abs().max()
    assert error < 2**-8
