"""Tasks: defaults that can be used together, and a helpful answer to an unknown one."""

import pytest
import torch

from pdloss.degradations import degradation
from pdloss.errors import SpecError
from pdloss.networks import network
from pdloss.tasks import TASKS, task


@pytest.mark.parametrize("name", TASKS)
def test_the_network_of_a_task_restores_what_its_degradation_spoils(name: str) -> None:
    chosen = task(name)
    clean = torch.rand(3, chosen.crop, chosen.crop, generator=torch.Generator().manual_seed(0))
    degraded = degradation(chosen.degradation)(clean, torch.Generator().manual_seed(1))
    assert not torch.equal(degraded, clean)
    with torch.no_grad():
        assert network(chosen.network)(degraded[None]).shape == (1, *clean.shape)


def test_denoising_takes_the_noise_read_from_the_paper() -> None:
    assert task("denoise").degradation == "noise"


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        SpecError,
        match="unknown task 'denoising'; did you mean 'denoise'\\? Known: denoise, sr, deblur, jpeg, demosaic",
    ):
        task("denoising")
