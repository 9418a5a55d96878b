"""What losses on the images themselves have in common."""

import pytest
import torch
from torch import Tensor

from pdloss.errors import RangeWarning
from pdloss.losses.image_loss import ImageLoss


class Brightness(ImageLoss):
    """How much brighter each restored image is."""

    def distance(self, restored: Tensor, target: Tensor) -> Tensor:
        return (restored - target).mean((1, 2, 3))


def test_the_value_is_the_mean_over_the_batch_and_the_target_is_a_constant() -> None:
    restored = torch.stack([torch.full((3, 4, 5), level) for level in (0.5, 0.9)]).requires_grad_()
    target = torch.full((2, 3, 4, 5), 0.25, requires_grad=True)
    value = Brightness()(restored, target)
    value.backward()
    assert value.item() == pytest.approx((0.25 + 0.65) / 2)
    assert restored.grad is not None
    torch.testing.assert_close(restored.grad, torch.full_like(restored, 1 / (2 * 3 * 4 * 5)))
    assert target.grad is None


def test_other_shapes_are_refused_and_another_range_is_said_once() -> None:
    loss, images = Brightness(), torch.full((1, 3, 4, 5), 200.0)
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 5\) and target \(1, 3, 4, 4\)"):
        loss(images, images[..., :4])
    with pytest.warns(RangeWarning, match="200"):
        loss(images, images)
    loss(images, images)  # said once: a second warning would be an error
