"""The look that a loss takes at the range of its first images."""

import copy
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor

import pdloss
from pdloss.losses import L1, PixelLoss, ProjectedDistributionLoss, objective
from pdloss.losses.checks import RESTORED_TOLERANCE, TARGET_TOLERANCE
from tests.losses.every import pair
from tests.losses.tiny import TinyFeatures


def warned(*images: Tensor) -> list[str]:
    """What a new loss says of the images."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PixelLoss()(*images)
    assert all(entry.category is pdloss.RangeWarning for entry in caught)
    return [str(entry.message) for entry in caught]


@pytest.mark.parametrize(
    ("scale", "shift", "said"),
    [
        (255, 0, "from 0 to 255, but losses take RGB in .0, 1.; divide them by 255"),
        (65535, 0, "divide them by their largest possible value"),
        (2, -1, "from -1 to 1, but .* map them from .-1, 1. by .x . 1. / 2"),
        (1 / 0.229, -0.485 / 0.229, "undo their normalisation by a mean and a deviation"),
        (1.1, -0.05, "clamp them"),
    ],
)
def test_images_in_another_range_are_named_with_the_cure(
    scale: float, shift: float, said: str, generator: torch.Generator
) -> None:
    restored, target = pair(generator)
    target[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    with pytest.warns(pdloss.RangeWarning, match=f"^target images run .*{said}"):
        PixelLoss()(scale * restored + shift, scale * target + shift)


def test_what_is_meant_to_be_in_range_is_not_warned_of(generator: torch.Generator) -> None:
    restored, target = pair(generator)
    assert warned(restored, target) == []
    assert warned(torch.full_like(target, 1 + 0.99 * RESTORED_TOLERANCE), target) == []
    assert warned(restored, torch.full_like(target, 1 + 0.99 * TARGET_TOLERANCE)) == []
    assert warned(torch.full_like(target, torch.nan), target) == [], "not a matter of range"
    (too_high,) = warned(torch.full_like(target, 1.01 + RESTORED_TOLERANCE), target)
    (too_low,) = warned(restored, torch.full_like(target, -2 * TARGET_TOLERANCE))
    assert too_high.startswith("restored images run from 1.51 to 1.51")
    assert too_low.startswith("target images run from -0.007843")


def test_a_network_in_training_may_start_anywhere(generator: torch.Generator) -> None:
    _, target = pair(generator)
    untrained = (2000 * torch.randn(target.shape, generator=generator)).requires_grad_()
    assert warned(untrained, target) == []
    assert len(warned(untrained.detach(), target)) == 1
    assert len(warned(untrained, 255 * target)) == 1


def test_a_loss_looks_at_its_first_batch_only(generator: torch.Generator) -> None:
    images = pair(generator)
    bytes_like = [255 * image for image in images]
    loss = PixelLoss()
    with pytest.warns(pdloss.RangeWarning):
        loss(*bytes_like)
    loss(*bytes_like)  # a warning would be an error here
    later = PixelLoss()
    later(*images)
    later(*bytes_like)


def test_copies_keep_whether_they_have_looked(generator: torch.Generator) -> None:
    bytes_like = [255 * image for image in pair(generator)]
    loss = ProjectedDistributionLoss(TinyFeatures())
    for made in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        with pytest.warns(pdloss.RangeWarning):
            made(*bytes_like)
    with pytest.warns(pdloss.RangeWarning):
        loss(*bytes_like)
    for made in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        made(*bytes_like)


def test_a_sum_of_losses_looks_once_for_all_of_them(generator: torch.Generator) -> None:
    bytes_like = [255 * image for image in pair(generator)]
    for summed in (objective("l1 + l2 + perceptual(features='distilled.relu3_3')").build(), L1().__mul__(2).build()):
        with pytest.warns(pdloss.RangeWarning) as caught:
            summed(*bytes_like)
        assert len(caught) == 1
        copy.deepcopy(summed)(*bytes_like)
        summed.terms[0](*bytes_like)


CALLED_AS_BY_USERS = """
import warnings, torch
from pdloss.losses import objective
warnings.simplefilter("error", category=RuntimeWarning)
image = torch.full((1, 3, 8, 8), 2.0)
for text in ("l1", "ms_ssim(scales=1)"):
    loss = objective(text).build().terms[0]
    try:
        loss(image, image)  # here
    except ValueError:
        pass
"""


def test_the_warning_points_at_the_call(tmp_path: Path) -> None:
    # In a process of its own: what checks shapes in the tests stands between the caller and the loss.
    script = tmp_path / "script.py"
    script.write_text(CALLED_AS_BY_USERS)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    (said,) = [line for line in done.stderr.splitlines() if "RangeWarning" in line]
    assert said.startswith(f"{script}:9: RangeWarning: target images run from 2 to 2")


def test_images_without_values_are_not_looked_at() -> None:
    images = torch.empty(1, 3, 8, 8, device="meta")
    assert PixelLoss()(images, images).is_meta
    exported = torch.export.export(PixelLoss(), (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)))
    black = torch.zeros(1, 3, 8, 8)
    assert exported.module()(black + 7, black) == 7
    each = torch.vmap(lambda x: PixelLoss()(x[None], 0 * x[None]))(torch.full((2, 3, 8, 8), 9.0))
    assert each.tolist() == [9, 9]
