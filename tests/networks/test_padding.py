"""Padding to whole multiples."""

import numpy as np
import pytest
import torch

from pdloss.networks.padding import cropped, padded
from tests.networks.helpers import picture


@pytest.mark.parametrize(("size", "multiple"), [((1, 1), 16), ((5, 7), 4), ((8, 3), 8), ((17, 33), 16)])
def test_repeats_the_border_below_and_on_the_right(size: tuple[int, int], multiple: int) -> None:
    image = picture(2, 3, *size)
    missing = [(0, 0), (0, 0), *((0, -side % multiple) for side in size)]
    assert torch.equal(padded(image, multiple), torch.from_numpy(np.pad(image.numpy(), missing, "edge")))


def test_what_fits_already_comes_back_itself() -> None:
    image = picture(1, 3, 16, 32)
    assert padded(image, 16) is image


def test_torch_2_6_which_cannot_say_whether_it_exports_pads_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.compiler, "is_exporting")
    images = torch.rand(1, 3, 5, 7)
    larger = padded(images, 4)
    assert larger.shape == (1, 3, 8, 8)
    assert torch.equal(cropped(larger, 5, 7), images)
