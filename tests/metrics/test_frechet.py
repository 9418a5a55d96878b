import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import _compute_fid

from pdloss.metrics.frechet import Moments, frechet_distance, gaussian_frechet_distance


def gaussian(dims, seed):
    """A mean and a covariance of full rank."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(3 * dims, dims, generator=generator, dtype=torch.float64)
    return rows.mean(dim=0), rows.T.cov() + torch.diag(torch.linspace(0.1, 1, dims, dtype=torch.float64))


def test_gaussians_with_the_same_axes_are_apart_by_their_means_and_standard_deviations(generator):
    dims = 7
    axes = torch.linalg.qr(torch.randn(dims, dims, generator=generator, dtype=torch.float64))[0]
    a, b = torch.rand(2, dims, generator=generator, dtype=torch.float64)
    mean_u, mean_v = torch.randn(2, dims, generator=generator, dtype=torch.float64)
    expected = (mean_u - mean_v).square().sum() + (a - b).square().sum()
    value = gaussian_frechet_distance(
        mean_u, axes @ torch.diag(a**2) @ axes.T, mean_v, axes @ torch.diag(b**2) @ axes.T
    )
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("dims", [1, 2, 24])
def test_agrees_with_the_matrix_root_of_scipy_and_with_torchmetrics(dims):
    (mean_u, of_u), (mean_v, of_v) = gaussian(dims, 1), gaussian(dims, 2)
    root = np.trace(scipy.linalg.sqrtm((of_u @ of_v).numpy()).real)
    expected = (mean_u - mean_v).square().sum() + of_u.trace() + of_v.trace() - 2 * root
    value = gaussian_frechet_distance(mean_u, of_u, mean_v, of_v)
    assert value.item() == pytest.approx(expected.item(), rel=1e-9)
    assert value.item() == pytest.approx(_compute_fid(mean_u, of_u, mean_v, of_v).item(), rel=1e-9)
    assert value.item() > 0.1


def test_on_features_agrees_with_torchmetrics(generator):
    u = torch.randn(90, 12, generator=generator)
    v = 1.3 * torch.randn(70, 12, generator=generator) @ torch.rand(12, 12, generator=generator) + 0.5
    expected = _compute_fid(*(m for x in (u.double(), v.double()) for m in (x.mean(dim=0), x.T.cov())))
    assert frechet_distance(u, v).item() == pytest.approx(expected.item(), rel=1e-9)


def test_a_set_moved_by_t_is_the_squared_length_of_t_away(generator):
    u = torch.randn(40, 5, generator=generator)
    moved = torch.tensor([1.0, -2.0, 0.0, 0.5, 3.0])
    assert frechet_distance(u, u + moved).item() == pytest.approx(14.25, rel=1e-5)


@pytest.mark.parametrize("count", [4, 30])
def test_a_set_stretched_about_its_mean_is_apart_by_the_change_of_its_deviations(generator, count):
    u = torch.randn(count, 10, generator=generator, dtype=torch.float64)
    stretched = u.mean(dim=0) + 1.5 * (u - u.mean(dim=0))
    assert frechet_distance(u, stretched).item() == pytest.approx(0.25 * u.T.cov().trace().item(), rel=1e-9)


def test_fewer_vectors_than_dimensions_are_as_far_apart_as_in_the_plane_that_holds_them(generator):
    u, v = torch.randn(2, 25, 2, generator=generator, dtype=torch.float64)
    v = 2 * v + 1
    plane = torch.linalg.qr(torch.randn(300, 2, generator=generator, dtype=torch.float64))[0].T
    assert frechet_distance(u @ plane, v @ plane).item() == pytest.approx(frechet_distance(u, v).item(), rel=1e-7)


def test_fewer_vectors_than_dimensions_agree_with_the_nuclear_norm_of_their_products(generator):
    u = torch.randn(9, 60, generator=generator, dtype=torch.float64)
    v = 0.3 + torch.rand(14, 60, generator=generator, dtype=torch.float64)
    x, y = ((rows - rows.mean(dim=0)).numpy() / (len(rows) - 1) ** 0.5 for rows in (u, v))
    apart = (u.mean(dim=0) - v.mean(dim=0)).square().sum().item()
    expected = apart + (x**2).sum() + (y**2).sum() - 2 * np.linalg.norm(x @ y.T, "nuc")
    assert frechet_distance(u, v).item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("count", [2, 10, 200])
def test_equal_sets_are_not_apart_and_never_less_than_that(generator, count):
    u = 100 + 30 * torch.randn(count, 50, generator=generator)
    value = frechet_distance(u, u).item()
    assert 0 <= value < 1e-8
    assert frechet_distance(u, u + 1).item() == pytest.approx(50, rel=1e-4)


def test_the_order_of_the_sets_does_not_matter(generator):
    u, v = torch.randn(30, 8, generator=generator), 2 * torch.rand(20, 8, generator=generator)
    assert frechet_distance(u, v).item() == pytest.approx(frechet_distance(v, u).item(), rel=1e-12)


def test_constant_sets_have_a_defined_distance(generator):
    zeros, threes = torch.zeros(5, 4), torch.full((5, 4), 3.0)
    v = torch.randn(50, 4, generator=generator, dtype=torch.float64)
    assert frechet_distance(zeros, zeros).item() == 0
    assert frechet_distance(zeros, threes).item() == 36
    expected = v.mean(dim=0).square().sum() + v.T.cov().trace()
    assert frechet_distance(zeros, v).item() == pytest.approx(expected.item(), rel=1e-12)


def test_one_vector_is_refused(generator):
    u = torch.randn(5, 3, generator=generator)
    for pair in ((u[:1], u), (u, u[:1])):
        with pytest.raises(ValueError, match="at least two vectors, got 1"):
            frechet_distance(*pair)


@pytest.mark.parametrize("batches", [(1,) * 40, (40,), (7, 1, 0, 30, 2)])
def test_moments_in_batches_are_those_of_numpy(generator, batches):
    # A mean 10^5 deviations away: sums of squares in float64 would keep six digits of the covariance.
    rows = 1e5 + torch.randn(sum(batches), 6, generator=generator, dtype=torch.float64)
    moments = Moments(6)
    for batch in rows.split(list(batches)):
        moments.update(batch)
    assert moments.count == 40
    np.testing.assert_allclose(moments.mean.numpy(), rows.numpy().mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(moments.covariance().numpy(), np.cov(rows.numpy().T), rtol=1e-8, atol=1e-9)
    assert (moments.covariance() - moments.covariance().T).abs().max() < 1e-12


def test_moments_do_not_grow_with_the_set(generator):
    moments = Moments(6)

    def held():
        return sum(value.numel() for value in vars(moments).values() if isinstance(value, torch.Tensor))

    sizes = set()
    for _ in range(50):
        moments.update(torch.randn(3, 6, generator=generator))
        sizes.add(held())
    assert sizes == {6 + 36}
