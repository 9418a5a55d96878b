"""What each task is measured on can be applied, and leaves nothing to chance but noise."""

import pytest
import torch

from pdloss import degradations
from pdloss.errors import SpecError
from pdloss.models.protocols import protocols
from pdloss.tasks import TASKS


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_protocols_of_distinct_names_that_degrade(task: str) -> None:
    found = protocols(task, TASKS[task].degradation)
    assert len({each.name for each in found}) == len(found) >= 1
    clean = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
    for each in found:
        chain = degradations.parse(each.degradation)
        degraded = chain(clean, torch.Generator().manual_seed(1))
        assert degraded.shape[-1] * chain.factor == 32
        assert degraded.shape != clean.shape or not torch.equal(degraded, clean)


def test_enlarging_is_measured_at_the_factor_that_was_trained() -> None:
    for factor in (2, 4):
        trained = f"gaussian_blur | downscale(factor={factor}) | jpeg(quality=50..90)"
        for each in protocols("sr", trained):
            assert degradations.parse(each.degradation).factor == factor


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(SpecError, match="paint"):
        protocols("paint", "noise")
