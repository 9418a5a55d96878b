"""Padding to whole multiples."""

import numpy as np
import pytest
import torch

from pdloss.networks.padding import padded
from tests.networks.helpers import picture


@pytest.mark.parametrize(("size", "multiple"), [((1, 1), 16), ((5, 7), 4), ((8, 3), 8), ((17, 33), 16)])
def test_repeats_the_border_below_and_on_the_right(size: tuple[int, int], multiple: int) -> None:
    image = picture(2, 3, *size)
    missing = [(0, 0), (0, 0), *((0, -side % multiple) for side in size)]
    assert torch.equal(padded(image, multiple), torch.from_numpy(np.pad(image.numpy(), missing, "edge")))


def test_what_fits_already_comes_back_itself() -> None:
    image = picture(1, 3, 16, 32)
    assert padded(image, 16) is image
