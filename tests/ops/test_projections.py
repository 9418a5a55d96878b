"""Directions: unit length, each scheme's law, the same numbers from the same stream."""

import math

import pytest
import torch

from pdloss.ops import projections


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("scheme", ["pairs", "perturbed", "sphere", "orthogonal"])
@pytest.mark.parametrize("ratio", [0.5, 1, 2.5])
def test_directions_have_length_one_and_are_as_many_as_asked_for(scheme: str, ratio: float) -> None:
    drawn = projections.directions(scheme, 12, ratio, stream())
    assert drawn.shape == (round(12 * ratio), 12)
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(len(drawn)))
    assert torch.equal(drawn, projections.directions(scheme, 12, ratio, stream()))
    assert not torch.equal(drawn, projections.directions(scheme, 12, ratio, stream(1)))


def test_pairs_combine_two_different_channels_each_as_often_as_any_other() -> None:
    drawn = projections.pairs(6, 6000, stream())
    assert ((drawn != 0).sum(1) == 2).all()
    # Each of the 15 pairs 400 times: five standard deviations of a binomial are 97.
    masks, counts = (drawn != 0).unique(dim=0, return_counts=True)
    assert len(masks) == 15
    assert (counts - 400).abs().max() < 97
    # The signs of a pair agree as often as not.
    assert ((drawn.sum(1).abs() > 1).float().mean() - 0.5).abs() < 5 * 0.5 / math.sqrt(6000)


def test_perturbed_axes_come_to_rest_as_epsilon_does_and_turn_by_its_angle() -> None:
    axes = torch.eye(5).repeat(2, 1)[:8]
    torch.testing.assert_close(projections.perturbed(5, 8, stream(), epsilon=0.0), axes)
    channels = 4096
    turned = projections.perturbed(channels, 3, stream(), epsilon=0.5).diagonal()
    torch.testing.assert_close(turned, torch.full((3,), math.cos(math.atan(0.5))), atol=0.03, rtol=0)


def test_directions_on_the_sphere_favour_none() -> None:
    t = torch.tensor([3.0, 0.0, -4.0, 0.0, 12.0])
    along = projections.sphere(5, 20_000, stream()) @ t
    # Of a uniform direction, <θ, t> has mean 0 and variance |t|²/C = 33.8; <θ, t>² has relative spread sqrt(2·4/7).
    assert along.mean().abs() < 5 * math.sqrt(33.8 / 20_000)
    assert along.square().mean().item() == pytest.approx(33.8, rel=5 * math.sqrt(8 / 7 / 20_000))


def test_orthogonal_directions_are_bases_one_after_the_other() -> None:
    drawn = projections.orthogonal(6, 15, stream())
    for basis in drawn.split(6):
        torch.testing.assert_close(basis @ basis.T, torch.eye(len(basis)), atol=1e-6, rtol=0)
    assert not torch.allclose(drawn[:6], drawn[6:12], atol=0.1)


def test_orthogonal_directions_are_uniform_one_by_one() -> None:
    # Without the signs of R, the first coordinate of a first direction would never be positive.
    first = torch.stack([projections.orthogonal(3, 1, stream(seed))[0] for seed in range(400)])
    assert (first > 0).float().mean(0).sub(0.5).abs().max() < 5 * 0.5 / 20


def test_orthogonal_directions_scatter_less_about_the_mean() -> None:
    t = torch.tensor([3.0, 0.0, -4.0, 0.0, 12.0])

    def scatter(scheme: str) -> float:
        means = [(projections.directions(scheme, 5, 1, stream(s)) @ t).abs().mean() for s in range(300)]
        return torch.stack(means).std().item()

    assert scatter("orthogonal") < 0.8 * scatter("sphere")


def test_a_ratio_that_draws_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.01 draws no direction for 8 channels; use at least 0\.125"):
        projections.directions("sphere", 8, 0.01, stream())


def test_pairs_need_two_channels() -> None:
    with pytest.raises(ValueError, match="the features have 1; use 'identity'"):
        projections.pairs(1, 4, stream())
