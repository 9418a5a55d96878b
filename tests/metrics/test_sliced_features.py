import numpy as np
import pytest
import scipy.stats
import torch

from pdloss.metrics.sliced_features import sliced_feature_distance
from pdloss.ops.projections import orthogonal


def test_agrees_with_scipy_along_each_direction_of_a_basis(generator):
    u, v = torch.randn(12, 5, generator=generator), 0.3 + torch.rand(17, 5, generator=generator)
    directions = orthogonal(5, 5, torch.Generator().manual_seed(3)).numpy()
    np.testing.assert_allclose(directions @ directions.T, np.eye(5), atol=1e-5)
    along = zip(directions @ u.numpy().T, directions @ v.numpy().T, strict=True)
    expected = np.mean([scipy.stats.wasserstein_distance(a, b) for a, b in along])
    assert sliced_feature_distance(u, v, seed=3).item() == pytest.approx(expected, rel=1e-5)


def test_a_shift_costs_the_square_of_its_length_over_the_dimensions(generator):
    # Over an orthonormal basis the squared projections of a vector sum to its squared length.
    u = torch.randn(30, 6, generator=generator)
    shift = torch.tensor([1.0, 2.0, 0.0, -1.0, 0.5, 0.0])
    assert sliced_feature_distance(u, u + shift, p=2).item() == pytest.approx(6.25 / 6, rel=1e-4)


def test_the_basis_is_chosen_by_the_seed(generator):
    u, v = torch.randn(2, 10, 4, generator=generator)
    values = [sliced_feature_distance(u, v, seed=seed).item() for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def test_sets_of_any_order_and_number_are_compared(generator):
    u = torch.randn(10, 4, generator=generator)
    assert sliced_feature_distance(u, u[torch.randperm(10, generator=generator)]).item() == pytest.approx(0, abs=1e-6)
    assert sliced_feature_distance(u, torch.cat([u, u])).item() == pytest.approx(0, abs=1e-6)
    assert sliced_feature_distance(u, 2 * u).item() > 0.1
