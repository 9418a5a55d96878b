"""The projected distribution loss against SciPy, image by image and channel by channel, and its invariances."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from pdloss.errors import SpecError
from pdloss.features import extractor
from pdloss.losses import PDL, ProjectedDistributionLoss, objective, projected_distribution_loss
from pdloss.ops import max_sliced_wasserstein, sliced_wasserstein
from pdloss.ops.projections import directions
from pdloss.ops.streams import generator as stream
from tests.losses.tiny import TinyFeatures, share_left


def shuffled(maps: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return maps.flatten(2)[:, :, order].view_as(maps)


def test_is_the_mean_over_channels_of_scipys_distance(generator: torch.Generator) -> None:
    restored, target = torch.randn(2, 3, 4, 5, 6, generator=generator, dtype=torch.float64)
    expected = [
        np.mean([wasserstein_distance(u.flatten(), v.flatten()) for u, v in zip(one, other, strict=True)])
        for one, other in zip(restored.numpy(), target.numpy(), strict=True)
    ]
    np.testing.assert_allclose(projected_distribution_loss(restored, target).numpy(), expected, rtol=1e-12)


def test_ignores_where_the_features_lie(generator: torch.Generator) -> None:
    maps = torch.rand(2, 4, 6, 5, generator=generator)
    order = torch.randperm(30, generator=generator)
    assert projected_distribution_loss(maps, shuffled(maps, order)).eq(0).all()
    each_its_own = torch.cat([shuffled(maps[:, [c]], torch.randperm(30, generator=generator)) for c in range(4)], 1)
    assert projected_distribution_loss(maps, each_its_own).eq(0).all()


def test_sees_which_channel_they_lie_in(generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 6, 5, generator=generator) * torch.arange(1, 5).view(1, 4, 1, 1)
    # Channels 1..4 times a uniform sample: reversed, means differ by 1.5, 0.5, 0.5, 1.5, whose mean is 1.
    assert projected_distribution_loss(maps, maps.flip(1)).item() == pytest.approx(1.0, abs=0.2)


def test_sees_contrast_brightness_and_blur(generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 12, 12, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(maps, 3, 1, 1)
    for changed in (2 * maps, maps + 0.3, blurred):
        assert projected_distribution_loss(maps, changed).item() > 0.05
    assert projected_distribution_loss(maps, maps + 0.3).item() == pytest.approx(0.3, rel=1e-5)


def test_compares_images_one_by_one_never_across_the_batch(generator: torch.Generator) -> None:
    maps = torch.rand(2, 3, 4, 4, generator=generator) + torch.tensor([0.0, 5.0]).view(2, 1, 1, 1)
    swapped = projected_distribution_loss(maps, maps.flip(0))
    assert swapped.tolist() == pytest.approx([5.0, 5.0], abs=0.3)


def test_pulls_every_position_with_equal_force_towards_its_rank(generator: torch.Generator) -> None:
    maps = torch.rand(1, 2, 3, 3, generator=generator, requires_grad=True)
    projected_distribution_loss(maps, maps.detach() + 1).sum().backward()
    assert maps.grad is not None
    # Mean over 9 positions and 2 channels of |u - (u + 1)|: each position's slope is -1/18.
    torch.testing.assert_close(maps.grad, torch.full_like(maps, -1 / 18))


def test_maps_of_other_sizes_are_compared_too(generator: torch.Generator) -> None:
    maps = torch.rand(1, 3, 4, 4, generator=generator)
    twice = maps.repeat_interleave(2, -1)  # every value twice: the same distribution
    assert projected_distribution_loss(maps, twice).item() == pytest.approx(0, abs=1e-6)


def test_the_module_averages_over_layers_and_batch(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 32, 32, generator=generator)
    both = ProjectedDistributionLoss("distilled.relu3_3+relu4_3")(restored, target)
    each = [ProjectedDistributionLoss(f"distilled.{layer}")(restored, target) for layer in ("relu3_3", "relu4_3")]
    torch.testing.assert_close(both, torch.stack(each).mean())
    maps = extractor("distilled.relu4_3")
    per_image = projected_distribution_loss(maps(restored)["relu4_3"], maps(target)["relu4_3"])
    torch.testing.assert_close(each[1], per_image.mean())


@pytest.mark.parametrize("features", ["distilled.relu3_3+relu4_3", "steerable"])
def test_gradient_is_finite_and_zero_at_the_target(features: str, generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 32, 32, generator=generator)
    restored = target.clone().requires_grad_()
    value = ProjectedDistributionLoss(features)(restored, target)
    value.backward()
    assert value.item() == 0
    assert restored.grad is not None
    assert restored.grad.eq(0).all()


def test_gradient_reaches_the_restored_image_only(generator: torch.Generator) -> None:
    restored, target = (torch.rand(1, 3, 16, 16, generator=generator, requires_grad=True) for _ in range(2))
    loss = ProjectedDistributionLoss(TinyFeatures())
    loss(restored, target).backward()
    assert restored.grad is not None
    assert restored.grad.abs().sum() > 0
    assert target.grad is None
    assert not list(loss.parameters())
    assert not loss.state_dict()


def test_moves_an_image_closer(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 16, generator=generator)
    restored = torch.full_like(target, 0.5).requires_grad_()
    loss = ProjectedDistributionLoss(TinyFeatures())
    assert share_left(loss, restored, target, torch.optim.Adam([restored], lr=0.02), steps=60) < 0.2


@pytest.mark.parametrize(
    ("restored", "target", "message"),
    [
        (torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 17), r"\(1, 3, 16, 16\) and target \(1, 3, 16, 17\)"),
        (torch.zeros(1, 16, 16, 3), torch.zeros(1, 16, 16, 3), "permute"),
        (torch.zeros(3, 16, 16), torch.zeros(3, 16, 16), r"\(B, 3, H, W\)"),
        (torch.zeros(1, 3, 16, 16).byte(), torch.zeros(1, 3, 16, 16).byte(), "divide 8-bit values by 255"),
        (torch.zeros(1, 3, 2, 16), torch.zeros(1, 3, 2, 16), "2x16 are too small"),
    ],
)
def test_refuses_what_cannot_be_compared(restored: torch.Tensor, target: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProjectedDistributionLoss("distilled.relu4_3")(restored, target)


def test_refuses_an_order_below_one() -> None:
    with pytest.raises(SpecError, match=">= 1"):
        PDL(p=0.5)
    with pytest.raises(ValueError, match="at least 1, got 0.5"):
        ProjectedDistributionLoss(TinyFeatures(), p=0.5)


def test_half_precision_features_give_a_float32_loss(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    loss = ProjectedDistributionLoss("distilled.relu4_3")
    exact = loss(restored, target)
    with torch.autocast("cpu", torch.bfloat16):
        rough = loss(restored, target)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=0.02)


RANDOM = ["pairs", "perturbed", "sphere", "orthogonal", "max"]


@pytest.mark.parametrize("projection", RANDOM)
def test_a_scheme_compares_the_features_along_its_directions(projection: str, generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 16, 16, generator=generator)
    loss = ProjectedDistributionLoss(TinyFeatures(), p=2, projection=projection, ratio=1.4, epsilon=0.3, seed=5)
    u, v = TinyFeatures()(restored), TinyFeatures()(target)
    scheme = "sphere" if projection == "max" else projection
    drawn = directions(scheme, 5, 1.4, stream("directions", 5, 0, 5), epsilon=0.3)
    assert len(drawn) == 7
    compared = max_sliced_wasserstein if projection == "max" else sliced_wasserstein
    torch.testing.assert_close(loss(restored, target), compared(u, v, drawn, 2).mean())


@pytest.mark.parametrize("projection", ["pairs", "sphere", "orthogonal", "max"])
def test_directions_across_channels_see_which_values_go_together(projection: str, generator: torch.Generator) -> None:
    maps = torch.rand(1, 4, 12, 12, generator=generator)
    each_its_own = torch.cat([shuffled(maps[:, [c]], torch.randperm(144, generator=generator)) for c in range(4)], 1)
    together = shuffled(maps, torch.randperm(144, generator=generator))
    loss = ProjectedDistributionLoss(torch.nn.Identity(), projection=projection, ratio=4)
    assert loss.distance(maps, together).item() == pytest.approx(0, abs=1e-6)
    assert loss.distance(maps, each_its_own).item() > 0.005
    assert loss.distance(maps, maps.flip(1) + 1).item() > 0.1


def test_a_small_epsilon_is_the_identity(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    turned = ProjectedDistributionLoss(TinyFeatures(), projection="perturbed", epsilon=1e-6)
    torch.testing.assert_close(turned(restored, target), ProjectedDistributionLoss(TinyFeatures())(restored, target))


def test_a_ready_matrix_is_taken_as_it_is(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    identity = ProjectedDistributionLoss(TinyFeatures())(restored, target)
    given = ProjectedDistributionLoss(TinyFeatures(), directions=torch.eye(5))
    torch.testing.assert_close(given(restored, target), identity)
    assert not given.state_dict()
    with pytest.raises(ValueError, match="none to draw by 'sphere'"):
        ProjectedDistributionLoss(TinyFeatures(), projection="sphere", directions=torch.eye(5))


def test_new_directions_are_drawn_for_every_value_in_training_only(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    loss, again = (ProjectedDistributionLoss(TinyFeatures(), projection="sphere", seed=3) for _ in range(2))
    values = [loss(restored, target).item() for _ in range(3)]
    assert len(set(values)) == 3
    assert [again(restored, target).item() for _ in range(3)] == values, "the n-th drawing is a matter of seed and n"
    assert ProjectedDistributionLoss(TinyFeatures(), projection="sphere", seed=4)(restored, target).item() != values[0]
    loss.eval()
    assert loss(restored, target).item() == loss(restored, target).item()
    fixed = ProjectedDistributionLoss(TinyFeatures(), projection="sphere", seed=3, redraw=False)
    assert [fixed(restored, target).item() for _ in range(2)] == [values[0], values[0]]
    assert not fixed.state_dict()


def test_a_loaded_state_goes_on_with_the_drawings(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    loss, resumed = (ProjectedDistributionLoss(TinyFeatures(), projection="sphere") for _ in range(2))
    loss(restored, target)
    assert all(isinstance(value, torch.Tensor) for value in loss.state_dict().values())
    resumed.load_state_dict(loss.state_dict())
    assert resumed(restored, target).item() == loss(restored, target).item()


def test_the_one_to_start_from_is_the_papers_on_four_layers_at_drawn_places(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 48, 48, generator=generator)
    layers = "distilled.relu1_2+relu2_2+relu3_3+relu4_3"
    values = {}
    for text in ("multilayer_pdl", f"pdl(features='{layers}', samples=256)", f"pdl(features='{layers}')"):
        loss = objective(text).build()
        values[text] = [loss(restored.requires_grad_(), target).total.item() for _ in range(3)]
    ours, written, whole = values.values()
    assert ours == written
    assert len(set(ours)) == 3, "drawn anew"
    assert len(set(whole)) == 1
    assert whole[0] < min(ours) < max(ours) < 2 * whole[0], "two small samples of one distribution differ by chance too"


def test_layers_are_weighted(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    third, fourth = (
        ProjectedDistributionLoss(f"distilled.{layer}")(restored, target) for layer in ("relu3_3", "relu4_3")
    )
    weighted = ProjectedDistributionLoss("distilled.relu3_3+relu4_3", layer_weights=(2.0, 0.25))
    torch.testing.assert_close(weighted(restored, target), 2 * third + 0.25 * fourth)
    in_text = objective("pdl(features='distilled.relu3_3+relu4_3', layer_weights=(2, 0.25))")
    assert str(objective(str(in_text))) == str(in_text)
    torch.testing.assert_close(in_text.build()(restored, target).total, 2 * third + 0.25 * fourth)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("projection='sfere'", "'identity', 'pairs', 'perturbed', 'sphere', 'orthogonal', 'max'"),
        ("projection='sphere', ratio=0", "> 0"),
        ("projection='sphere', ratio=-1", "> 0"),
        ("layer_weights=(1, 2)", r"2 layer weights for 1 layers \(relu4_3\)"),
        ("ascents=-1", ">= 0"),
        ("epsilon=0", "> 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        objective(f"pdl(features='distilled.relu4_3', {options})").build()


def test_the_module_refuses_what_the_text_does() -> None:
    with pytest.raises(ValueError, match="ratio must be positive, got 0"):
        ProjectedDistributionLoss(TinyFeatures(), projection="sphere", ratio=0)


def test_a_ratio_that_draws_no_direction_is_refused(generator: torch.Generator) -> None:
    image = torch.rand(1, 3, 16, 16, generator=generator)
    with pytest.raises(ValueError, match=r"ratio of 0\.05 draws no direction for 5 channels; use at least 0\.2"):
        ProjectedDistributionLoss(TinyFeatures(), projection="sphere", ratio=0.05)(image, image)


def test_pairs_of_one_channel_are_refused(generator: torch.Generator) -> None:
    maps = torch.rand(1, 1, 4, 4, generator=generator)
    with pytest.raises(ValueError, match="the features have 1; use 'identity'"):
        ProjectedDistributionLoss(torch.nn.Identity(), projection="pairs").distance(maps, maps)


def places(count: int, of: int, *, n: int, seed: int = 0) -> torch.Tensor:
    """The positions compared for the n-th value, written down again."""
    return torch.randperm(of, generator=stream("samples", seed, n, of))[:count]


@pytest.mark.parametrize("projection", ["identity", "sphere"])
def test_in_training_so_many_positions_are_compared_as_are_asked_for(
    projection: str, generator: torch.Generator
) -> None:
    restored, target = torch.rand(2, 2, 3, 16, 16, generator=generator)
    restored.requires_grad_()
    loss = ProjectedDistributionLoss(TinyFeatures(), projection=projection, samples=40, seed=2)
    every = ProjectedDistributionLoss(torch.nn.Identity(), projection=projection, seed=2)
    u, v = TinyFeatures()(restored), TinyFeatures()(target)
    for n in range(3):
        here = places(40, 64, n=n, seed=2)
        expected = every.compare({"maps": u.flatten(2)[:, :, here, None]}, {"maps": v.flatten(2)[:, :, here, None]})
        value = loss(restored, target)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(
            torch.autograd.grad(value, restored)[0], torch.autograd.grad(expected, restored, retain_graph=True)[0]
        )
    assert loss.state_dict()["samplings._extra_state"].item() == 3


def test_what_is_equal_stays_without_cost_at_any_sample(generator: torch.Generator) -> None:
    target = torch.rand(2, 3, 16, 16, generator=generator)
    loss = ProjectedDistributionLoss(TinyFeatures(), samples=20)
    assert loss(target.clone().requires_grad_(), target).item() == 0


def test_all_positions_count_where_nothing_is_trained_or_there_are_no_more(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 2, 3, 16, 16, generator=generator)
    whole = ProjectedDistributionLoss(TinyFeatures())(restored, target)
    for samples in (40, 64):
        loss = ProjectedDistributionLoss(TinyFeatures(), samples=samples)
        torch.testing.assert_close(loss(restored, target), whole)  # no gradient is asked for
        torch.testing.assert_close(loss.eval()(restored.clone().requires_grad_(), target), whole)
    loss.train()
    torch.testing.assert_close(loss(restored.clone().requires_grad_(), target), whole)


def test_a_sample_of_positions_says_nearly_what_all_of_them_do(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 4, 3, 32, 32, generator=generator)
    restored = (0.7 * restored + 0.1).requires_grad_()
    loss = ProjectedDistributionLoss(TinyFeatures(), samples=200)
    values = [loss(restored, target).item() for _ in range(40)]
    assert np.mean(values) == pytest.approx(loss.eval()(restored, target).item(), rel=0.1)


def test_maps_of_other_sizes_are_sampled_each_by_themselves(generator: torch.Generator) -> None:
    u = torch.rand(1, 3, 8, 8, generator=generator, requires_grad=True)
    v = torch.rand(1, 3, 9, 9, generator=generator)
    value = ProjectedDistributionLoss(torch.nn.Identity(), samples=10).distance(u, v)
    assert value.shape == (1,)
    assert torch.autograd.grad(value.sum(), u)[0].count_nonzero() == 30


def test_a_negative_number_of_samples_is_refused() -> None:
    with pytest.raises(SpecError, match=r"samples=-1.*>= 0"):
        objective("pdl(samples=-1)")
    with pytest.raises(ValueError, match="samples must not be negative, got -1"):
        ProjectedDistributionLoss(TinyFeatures(), samples=-1)
