"""What losses on feature maps share: extractors of one's own, the mean over layers."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.losses.feature_loss import FeatureLoss, pair_of_maps
from tests.losses.tiny import TinyFeatures


class MeanDifference(FeatureLoss):
    """The difference of the maps' means."""

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h2 w2"]) -> Float[Tensor, " b"]:
        return restored.mean((1, 2, 3)) - target.mean((1, 2, 3))


class TwoLayers(nn.Module):
    """Gives the image itself and its double."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"once": images, "twice": 2 * images}


def test_the_value_is_the_mean_over_layers_and_batch() -> None:
    target = torch.zeros(2, 3, 4, 4)
    restored = target + torch.tensor([0.1, 0.3]).view(2, 1, 1, 1)
    # Layers: mean of (0.1, 0.3) and of (0.2, 0.6).
    assert MeanDifference(TwoLayers())(restored, target).item() == pytest.approx(0.3)


def test_one_map_needs_no_name(generator: torch.Generator) -> None:
    images = torch.rand(2, 3, 8, 8, generator=generator)
    maps, _ = pair_of_maps(TinyFeatures(), images, images)
    torch.testing.assert_close(maps["maps"], TinyFeatures()(images))


def test_a_shared_extractor_may_hold_more_layers(generator: torch.Generator) -> None:
    from pdloss.features import extractor

    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    shared = MeanDifference("distilled.relu4_3", extractor=extractor("distilled.relu3_3+relu4_3"))
    torch.testing.assert_close(shared(restored, target), MeanDifference("distilled.relu4_3")(restored, target))


def test_the_targets_maps_have_no_graph(generator: torch.Generator) -> None:
    images = torch.rand(1, 3, 8, 8, generator=generator, requires_grad=True)
    restored, target = pair_of_maps(TinyFeatures(), images, images)
    assert restored["maps"].requires_grad
    assert not target["maps"].requires_grad


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(SpecError, match="unknown features 'vgg'"):
        MeanDifference("vgg.relu4_3")
