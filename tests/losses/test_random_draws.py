"""Features taken at an offset drawn for every value: the same as of crops, the same after resuming, for nothing."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features import DistilledFeatures
from pdloss.losses import (
    LOSSES,
    FeatureChoice,
    PerceptualLoss,
    WassersteinDistortionLoss,
    WeightedSum,
    objective,
)  # fmt: skip
from pdloss.losses.random_draws import Offsets
from pdloss.ops.streams import generator as stream
from pdloss.runs.states import load_module, tensors_of
from tests.losses.random_weights import use_random_weights
from tests.losses.tiny import TinyFeatures

ON_FEATURES = [name for name, kind in LOSSES.table.items() if issubclass(kind, FeatureChoice)]


def places(count: int, bound: int, seed: int = 0) -> list[list[int]]:
    """The first offsets, written down again."""
    return [torch.randint(bound, (2,), generator=stream("offset", seed, n)).tolist() for n in range(count)]


def images(generator: torch.Generator, side: int = 40, **kind: torch.dtype) -> tuple[Tensor, Tensor]:
    restored, target = torch.rand(2, 2, 3, side, side, generator=generator, **kind)
    return restored.requires_grad_(), target


@pytest.mark.parametrize("name", ON_FEATURES)
def test_every_loss_on_features_sees_both_images_without_their_first_rows_and_columns(
    name: str, generator: torch.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_random_weights(tmp_path, monkeypatch)
    restored, target = images(generator)
    options = "features='distilled.relu3_3'" + (", count=8, patch=3" if name == "fdl" else "")
    loss, plain = (objective(f"{name}({options}{more})").build().terms[0] for more in (", offset=4", ", offset=0"))
    values = [loss(restored, target).item() for _ in range(3)]
    crops = [(restored[..., y:, x:], target[..., y:, x:]) for y, x in places(3, 4)]
    assert values == [plain(*crop).item() for crop in crops]
    assert len(set(values)) == 3


def test_the_gradient_reaches_what_is_left_of_the_image_alone(generator: torch.Generator) -> None:
    restored, target = images(generator)
    loss = PerceptualLoss(nn.Identity(), offset=30)
    loss(restored, target).backward()
    ((y, x),) = places(1, 30)
    expected = torch.zeros_like(restored)
    inside = expected[..., y:, x:]
    inside.copy_((restored - target)[..., y:, x:].sign() / inside.numel())
    torch.testing.assert_close(restored.grad, expected)
    assert min(y, x) > 0


def test_rows_and_columns_are_drawn_from_all_places_below_the_bound_alike() -> None:
    offsets = Offsets(3, seed=7)
    drawn = [offsets.draw() for _ in range(900)]
    counts = [drawn.count((y, x)) for y in range(3) for x in range(3)]
    assert sum(counts) == 900
    assert max(abs(count - 100) for count in counts) < 5 * (900 * 1 / 9 * 8 / 9) ** 0.5
    assert drawn[:5] != [Offsets(3, seed=8).draw() for _ in range(5)]


def test_the_offset_is_that_of_the_seed_and_the_number_of_the_value(generator: torch.Generator) -> None:
    restored, target = images(generator)
    exact = [images.detach().double() for images in (restored, target)]
    single, double = PerceptualLoss(TinyFeatures(), offset=8), PerceptualLoss(TinyFeatures().double(), offset=8)
    for _ in range(3):
        rough = single(restored, target).item()
        assert rough == pytest.approx(double(exact[0].requires_grad_(), exact[1]).item(), rel=1e-4)
    seeded = objective("pdl(features='distilled.relu3_3', offset=8, seed=3)").build().terms[0]
    assert [list(seeded.offsets.draw()) for _ in range(2)] == places(2, 8, seed=3)


def test_a_resumed_training_takes_the_offsets_that_it_would_have_taken(generator: torch.Generator) -> None:
    restored, target = images(generator)
    text = "l1 + perceptual(features='distilled.relu3_3', offset=8)"
    going, resumed = (objective(text).build() for _ in range(2))
    for _ in range(2):
        going(restored, target)
    load_module(resumed, tensors_of(going.state_dict()))
    for _ in range(2):
        assert resumed(restored, target).total.item() == going(restored, target).total.item()


def test_terms_with_the_same_features_share_the_offset_and_the_maps(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    forward = DistilledFeatures.forward

    def counted(self: DistilledFeatures, given: Tensor) -> dict[str, Tensor]:
        seen.append(tuple(given.shape[-2:]))
        return forward(self, given)

    monkeypatch.setattr(DistilledFeatures, "forward", counted)
    restored, target = images(generator)
    layer = "features='distilled.relu3_3'"
    summed = objective(f"pdl({layer}, offset=8) + perceptual({layer}, offset=8) + perceptual({layer})").build()
    values = summed(restored, target).values
    (y, x), whole = places(1, 8)[0], (40, 40)
    assert sorted(seen) == sorted([(40 - y, 40 - x)] * 2 + [whole] * 2), "twice for each bound, no more"
    crop = restored[..., y:, x:], target[..., y:, x:]
    alone = objective(f"perceptual({layer})").build().terms[0]
    assert values["perceptual"].item() == alone(*crop).item()
    assert values["perceptual_2"].item() == alone(restored, target).item()


def test_without_training_or_gradient_the_whole_images_count_and_nothing_is_drawn(generator: torch.Generator) -> None:
    restored, target = images(generator)
    loss, whole = PerceptualLoss(TinyFeatures(), offset=8), PerceptualLoss(TinyFeatures())
    expected = whole(restored, target).item()
    assert loss(restored.detach(), target).item() == expected
    with torch.no_grad():
        assert loss(restored, target).item() == expected
    loss.eval()
    assert loss(restored, target).item() == expected
    summed = WeightedSum(["a"], [1.0], [loss]).eval()
    assert summed(restored, target).total.item() == expected
    assert loss.offsets.drawings is not None
    assert loss.offsets.drawings.value == 0


def test_widths_given_for_every_place_are_taken_at_the_same_offset(generator: torch.Generator) -> None:
    restored, target = images(generator)
    widths = 1 + 15 * torch.rand(2, 1, 40, 40, generator=generator)
    loss, plain = (WassersteinDistortionLoss(TinyFeatures(), scales=1, offset=bound) for bound in (8, 0))
    ((y, x),) = places(1, 8)
    crop = restored[..., y:, x:], target[..., y:, x:], widths[..., y:, x:]
    assert loss(restored, target, widths).item() == plain(*crop).item()


@pytest.mark.parametrize(
    ("text", "side", "least"),
    [
        ("perceptual(features='distilled.relu4_3', offset=8)", 14, 15),
        ("fdl(features='distilled.relu4_3', count=4, patch=3, offset=8)", 30, 31),
        ("wasserstein_distortion(features='distilled.relu4_3', offset=8)", 35, 36),
    ],
)
def test_crops_that_some_offset_leaves_too_little_of_are_refused_at_the_first_value(
    text: str, side: int, least: int, generator: torch.Generator
) -> None:
    loss = objective(text).build()
    wanted = rf"images of {side}x{side} are too small for offset=8.*needs at least {least} pixels a side.*smaller off"
    for graph in (True, False):  # what is tried before a training has no gradient
        with pytest.raises(ValueError, match=wanted):
            loss(torch.rand(1, 3, side, side).requires_grad_(graph), torch.rand(1, 3, side, side))
    for _ in range(20):
        loss(*(torch.rand(1, 3, least, least, generator=generator).requires_grad_() for _ in range(2)))


def test_a_negative_offset_is_refused() -> None:
    with pytest.raises(SpecError, match=r"offset=-1.*>= 0"):
        objective("pdl(offset=-1)")
    with pytest.raises(ValueError, match="offset must not be negative, got -1"):
        PerceptualLoss(TinyFeatures(), offset=-1)


def test_texts_from_before_offsets_are_written_as_they_were() -> None:
    assert "offset" not in objective("pdl").in_full()
    chosen = objective("0.5*pdl(offset=8)")
    assert "offset=8" in chosen.in_full()
    assert str(objective(chosen.in_full())) == str(chosen) == "0.5*pdl(offset=8)"
    assert not objective("pdl(offset=1, features='distilled')").build().state_dict(), "one place to begin is no choice"
