import statistics
import sys

import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from pdloss.metrics.kernel_distance import (
    cubic_kernel,
    kernel_distance,
    paired_kernel_distance,
    subset_kernel_distance,
)


def kernel(x, y):
    return (sum(a * b for a, b in zip(x.tolist(), y.tolist(), strict=True)) / len(x) + 1) ** 3


def looped(u, v):
    """The published estimate, pair by pair."""
    within = [
        statistics.mean(kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j) for x in (u, v)
    ]
    return sum(within) - 2 * statistics.mean(kernel(x, y) for x in u for y in v)


def looped_pairs(u, v, images):
    """The estimate over pairs of different images, pair by pair."""
    return statistics.mean(
        kernel(u[i], u[j]) + kernel(v[i], v[j]) - kernel(u[i], v[j]) - kernel(v[i], u[j])
        for i in range(len(u))
        for j in range(len(u))
        if images[i] != images[j]
    )


def sets(generator, n=9, m=7, dims=4):
    return torch.randn(n, dims, generator=generator), 0.5 + torch.rand(m, dims, generator=generator)


def test_the_kernel_is_that_of_one_pair_at_a_time(generator):
    u, v = (x.double() for x in sets(generator))
    expected = torch.tensor([[kernel(x, y) for y in v] for x in u], dtype=torch.float64)
    torch.testing.assert_close(cubic_kernel(u, v), expected)


@pytest.mark.parametrize("rows", [512, 3])
def test_independent_sets_agree_with_the_sum_pair_by_pair(generator, monkeypatch, rows):
    monkeypatch.setattr(sys.modules["pdloss.metrics.kernel_distance"], "_ROWS", rows)
    u, v = sets(generator)
    assert kernel_distance(u, v).item() == pytest.approx(looped(u, v), rel=1e-9)


def test_independent_sets_agree_with_torchmetrics(generator):
    u, v = (x.double() for x in sets(generator, 40, 40, 16))
    value = kernel_distance(u, v).item()
    assert value == pytest.approx(poly_mmd(u, v).item(), rel=1e-9)
    assert value > 0.1


@pytest.mark.parametrize("rows", [512, 4])
@pytest.mark.parametrize("images", [range(9), [0, 0, 0, 5, 5, 1, 1, 1, 1], [2, 1, 2, 1, 2, 1, 2, 1, 0]])
def test_pairs_agree_with_the_sum_pair_by_pair(generator, monkeypatch, rows, images):
    monkeypatch.setattr(sys.modules["pdloss.metrics.kernel_distance"], "_ROWS", rows)
    u, v = sets(generator, 9, 9)
    value = paired_kernel_distance(u, v, torch.tensor(images)).value
    assert value == pytest.approx(looped_pairs(u, v, images), rel=1e-9)


def test_without_images_each_row_is_one(generator):
    u, v = sets(generator, 9, 9)
    assert paired_kernel_distance(u, v) == paired_kernel_distance(u, v, torch.arange(9))


@pytest.mark.parametrize("images", [range(8), [0, 0, 0, 5, 5, 1, 1, 2]])
def test_the_error_is_the_jackknife_s_over_images(generator, images):
    u, v = sets(generator, 8, 8)
    images = torch.tensor(images)
    left = [
        looped_pairs(u[images != image], v[images != image], images[images != image].tolist())
        for image in images.unique()
    ]
    count = len(left)
    expected = ((count - 1) ** 2 / count * statistics.variance(left)) ** 0.5
    assert paired_kernel_distance(u, v, images).error == pytest.approx(expected, rel=1e-9)


def replicates(generator, runs=400, count=30):
    """Estimates from normal x and y = x + 1/2, tied to each other, in one dimension."""
    for _ in range(runs):
        x = torch.randn(count, 1, generator=generator, dtype=torch.float64)
        yield x, x + 0.5


# In one dimension (xy + 1)^3 = x³y³ + 3x²y² + 3xy + 1, so that MMD² is a sum over differences of moments. Those of x
# are 0, 1, 0 and those of x + 1/2 are 1/2, 5/4, 13/8.
TRUE = 3 * 0.5**2 + 3 * 0.25**2 + 1.625**2


def test_pairs_are_estimated_without_bias_and_with_the_right_error(generator):
    estimates = [paired_kernel_distance(x, y) for x, y in replicates(generator)]
    values = [estimate.value for estimate in estimates]
    scatter = statistics.stdev(values)
    assert abs(statistics.mean(values) - TRUE) < 4 * scatter / len(values) ** 0.5
    assert (statistics.mean(estimate.error**2 for estimate in estimates)) ** 0.5 == pytest.approx(scatter, rel=0.25)


def test_the_estimate_for_independent_sets_is_too_low_for_pairs(generator):
    # By 2/N of the difference between k(x_i, y_i) and k(x_i, y_j), whose means follow from the moments of x.
    values = [kernel_distance(x, y).item() for x, y in replicates(generator)]
    same = 15 + 0.75 * 3 + 3 * (3 + 0.25) + 3 * 1 + 1  # E[x³(x + 1/2)³] + 3 E[x²(x + 1/2)²] + 3 E[x(x + 1/2)] + 1
    other = 3 * 1.25 + 1
    expected = TRUE - 2 / 30 * (same - other)
    scatter = statistics.stdev(values) / len(values) ** 0.5
    assert abs(statistics.mean(values) - expected) < 4 * scatter
    assert expected < TRUE - 6 * scatter


def test_equal_sets_have_no_distance(generator):
    u = 3 * torch.randn(20, 5, generator=generator)
    assert paired_kernel_distance(u, u.clone()) == pytest.approx((0, 0), abs=1e-12)
    assert paired_kernel_distance(u, u + 1).value > 0.1


def test_sets_of_one_distribution_can_come_out_below_zero(generator):
    values = [paired_kernel_distance(*torch.randn(2, 20, 3, generator=generator)).value for _ in range(50)]
    assert min(values) < 0 < max(values)


def test_constant_features_have_a_defined_distance():
    zeros = torch.zeros(4, 2)
    assert paired_kernel_distance(zeros, zeros + 1) == (7, 0)
    assert kernel_distance(zeros, zeros + 1).item() == 7


def test_the_order_of_the_images_does_not_matter(generator):
    u, v = sets(generator, 9, 9)
    images, order = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3, 4]), torch.randperm(9, generator=generator)
    shuffled = paired_kernel_distance(u[order], v[order], images[order])
    assert shuffled == pytest.approx(paired_kernel_distance(u, v, images), rel=1e-9)


def test_two_images_give_a_value_and_no_error(generator):
    u, v = sets(generator, 2, 2)
    value, error = paired_kernel_distance(u, v)
    assert value == pytest.approx(looped_pairs(u, v, [0, 1]))
    assert error is None


def test_one_image_is_refused_however_many_crops_it_has(generator):
    u, v = sets(generator, 5, 5)
    with pytest.raises(ValueError, match="at least two images, got 1"):
        paired_kernel_distance(u, v, torch.zeros(5, dtype=torch.long))
    with pytest.raises(ValueError, match="at least two vectors in each set, got 5 and 1"):
        kernel_distance(u, v[:1])


def test_the_published_distance_of_few_vectors_is_that_of_all(generator):
    u, v = sets(generator, 40, 40)
    assert subset_kernel_distance(u, v).item() == pytest.approx(kernel_distance(u, v).item(), rel=1e-12)


def test_the_published_distance_is_the_mean_over_subsets_and_close_to_that_of_all(generator):
    """Every subset is unbiased: the mean over 400 of them lies within five standard errors of the whole."""
    u, v = sets(generator, 60, 50)
    alone = [subset_kernel_distance(u, v, subsets=1, size=20, seed=seed).item() for seed in range(400)]
    error = statistics.stdev(alone) / 20
    assert error > 0
    assert statistics.mean(alone) == pytest.approx(kernel_distance(u, v).item(), abs=5 * error)
    assert subset_kernel_distance(u, v, 400, 20).item() == pytest.approx(kernel_distance(u, v).item(), abs=5 * error)
    assert subset_kernel_distance(u, v, 3, 20) == subset_kernel_distance(u, v, 3, 20)


def test_the_published_distance_agrees_with_torchmetrics_on_the_whole_sets(generator):
    u, v = (x.double() for x in sets(generator, 30, 30, 8))
    assert subset_kernel_distance(u, v, size=1000).item() == pytest.approx(poly_mmd(u, v).item(), rel=1e-9)


def test_the_published_distance_of_pairs_is_too_low_and_that_of_pairs_is_not(generator):
    u = torch.randn(30, 4, generator=generator)
    assert subset_kernel_distance(u, u) < 0
    assert paired_kernel_distance(u, u).value == 0
