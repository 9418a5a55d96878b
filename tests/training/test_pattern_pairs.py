"""Pairs of an image and itself with a pattern, and how far a student's changes are from its teacher's."""

import pytest
import torch

from pdloss.training.pattern_pairs import LARGEST, SMALLEST, change_error, changes, pairs_in, with_pairs


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("batch", [2, 3, 8, 16])
def test_the_last_images_are_those_before_them_with_a_pattern_of_the_strength_asked_for(batch: int) -> None:
    images = torch.rand(batch, 3, 24, 24, generator=stream(0))
    count = pairs_in(batch)
    paired = with_pairs(images, stream(1))
    assert paired.shape == images.shape
    assert torch.equal(paired[: batch - count], images[: batch - count])
    added = changes(paired)
    torch.testing.assert_close(added, paired[-count:] - images[batch - 2 * count : batch - count])
    sizes = added.square().mean((1, 2, 3)).sqrt()
    assert ((sizes > SMALLEST - 1e-4) & (sizes < LARGEST + 1e-4)).all()
    assert added.mean((2, 3)).abs().max() < 1e-5
    assert torch.equal(with_pairs(images, stream(1)), paired)
    assert not torch.equal(with_pairs(images, stream(2)), paired)


def test_half_of_a_batch_is_in_pairs_and_a_single_image_in_none() -> None:
    assert [2 * pairs_in(batch) / batch for batch in (4, 8, 16)] == [0.5, 0.5, 0.5]
    alone = torch.rand(1, 3, 16, 16)
    assert torch.equal(with_pairs(alone, stream(0)), alone)


def test_the_error_is_that_of_the_changes_whatever_the_maps_are() -> None:
    maps = torch.rand(8, 5, 6, 6, generator=stream(0))
    true = changes(maps)
    elsewhere = maps.clone()
    elsewhere[:-4] += 7  # outside of the pairs
    elsewhere[-4:] += 3  # both of each pair alike
    assert change_error("conv1", elsewhere, true).item() == pytest.approx(0, abs=1e-10)
    # A student half as sensitive errs by half of each change, one that sees nothing by all of it.
    assert change_error("conv1", maps / 2, true).item() == pytest.approx(0.25, rel=1e-5)
    assert change_error("conv1", torch.ones_like(maps), true).item() == pytest.approx(1)


def test_maps_behind_a_relu_are_compared_behind_it() -> None:
    signed = torch.randn(8, 5, 6, 6, generator=stream(0))
    assert change_error("relu1", signed, changes(signed.relu())).item() == 0
    assert change_error("conv1", signed, changes(signed.relu())).item() > 0.1
