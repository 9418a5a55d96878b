"""Differences place by place, against sums by hand."""

import pytest
import torch

from pdloss.ops.differences import mean_difference


def test_is_the_mean_over_places_of_each_image() -> None:
    restored = torch.tensor([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]])
    target = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[0.5, 0.0], [0.0, -0.5]]])
    assert mean_difference(restored, target).tolist() == [(1 + 0 + 2 + 3) / 4, 0.25]
    assert mean_difference(restored, target, p=2).tolist() == [(1 + 0 + 4 + 9) / 4, 0.125]


def test_half_precision_is_computed_in_float32() -> None:
    restored = torch.full((1, 100_000), 0.1, dtype=torch.float16)
    found = mean_difference(restored, torch.zeros_like(restored), p=2)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(float(torch.tensor(0.1, dtype=torch.float16)) ** 2, rel=1e-4)
