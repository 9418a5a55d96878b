"""Tasks: defaults that can be used together, and a helpful answer to an unknown one."""

import pytest
import torch

from pdloss.degradations import degradation, parse
from pdloss.errors import SpecError
from pdloss.networks import network
from pdloss.tasks import TASKS, task


@pytest.mark.parametrize("name", TASKS)
def test_the_network_of_a_task_restores_what_its_degradation_made(name: str) -> None:
    chosen = task(name)
    clean = torch.rand(3, chosen.crop, chosen.crop, generator=torch.Generator().manual_seed(0))
    degraded = degradation(chosen.degradation)(clean, torch.Generator().manual_seed(1))
    assert not torch.equal(degraded, clean)
    with torch.no_grad():
        assert network(chosen.network)(degraded[None]).shape == (1, *clean.shape)


@pytest.mark.parametrize(
    ("name", "degradation_in_full", "network_in_short", "crop"),
    [
        ("denoise", f"noise(sigma={100 / 255}, clip=True)", "srn", 128),
        ("sr", "downscale(factor=4, kernel='bicubic', round=True)", "edsr(scale=4, upsampling='resize')", 192),
        (
            "deblur",  # kernels of paths of 1 to 15 pixels, and a little noise
            f"blur(support=2..16, motion='tremor', kernel=None, seed=None) | noise(sigma=0..{5 / 255}, clip=True)",
            "dsdeblur",
            128,
        ),
        ("jpeg", "jpeg(quality=20, subsampling='4:2:0')", "srn", 128),
        ("demosaic", f"mosaic(pattern='RGGB', noise=0..{5 / 255}, layout='masked')", "srn", 128),
    ],
)
def test_tasks_are_what_was_read_from_the_paper(
    name: str, degradation_in_full: str, network_in_short: str, crop: int
) -> None:
    chosen = task(name)
    assert parse(chosen.degradation).in_full() == degradation_in_full
    assert (chosen.network, chosen.crop) == (network_in_short, crop)


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        SpecError,
        match="unknown task 'denoising'; did you mean 'denoise'\\? Known: denoise, sr, deblur, jpeg, demosaic",
    ):
        task("denoising")
