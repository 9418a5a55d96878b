"""Names of features: a backbone and its layers, in text and back."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdloss.errors import AssetError, SpecError
from pdloss.features import BACKBONES, FeatureNames, SteerablePyramidFeatures, extractor
from pdloss.specs.trust import TYPED

few = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
words = st.from_regex(r"[a-z]+[0-9_]{0,3}", fullmatch=True)
backbones = st.sampled_from(sorted(BACKBONES)) | st.sampled_from(["own.safetensors", "a.b/c+d/mine.v2.safetensors"])


def test_every_backbone_of_the_library_has_a_name() -> None:
    assert list(BACKBONES) == [
        *("vgg16", "vgg19", "vgg16-torchvision", "vgg19-torchvision"),
        *("alexnet", "squeezenet", "distilled", "distilled-1", "steerable"),
    ]


@few
@given(backbones, st.lists(words, max_size=4))
def test_the_text_of_names_makes_them_again(backbone: str, layers: list[str]) -> None:
    names = FeatureNames(backbone, tuple(layers))
    assert FeatureNames.parse(str(names)) == names


@pytest.mark.parametrize(
    ("text", "backbone", "layers"),
    [
        ("vgg16.relu4_3", "vgg16", ("relu4_3",)),
        ("vgg19.relu3_4+relu4_4", "vgg19", ("relu3_4", "relu4_4")),
        ("distilled", "distilled", ()),
        ("distilled-1.relu3_4", "distilled-1", ("relu3_4",)),
        ("runs/mine.v2.safetensors.relu4_3", "runs/mine.v2.safetensors", ("relu4_3",)),
        ("mine.safetensors", "mine.safetensors", ()),
        ("alexnet.relu2+pool2", "alexnet", ("relu2", "pool2")),
        ("mine.features:Net", "mine.features:Net", ()),
    ],
)
def test_text_is_a_backbone_and_its_layers(text: str, backbone: str, layers: tuple[str, ...]) -> None:
    assert FeatureNames.parse(text, TYPED) == FeatureNames(backbone, layers)


def test_an_unknown_backbone_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        SpecError,
        match="unknown features 'vg16'; did you mean 'vgg16'\\? Known: vgg16, vgg19, .*distilled-1, steerable",
    ):
        FeatureNames.parse("vg16.relu4_3")


def test_a_union_has_each_layer_once_and_all_if_either_has_all() -> None:
    one, other = FeatureNames("vgg16", ("a", "b")), FeatureNames("vgg16", ("c", "a"))
    assert one.union(other) == FeatureNames("vgg16", ("a", "b", "c"))
    assert one.union(FeatureNames("vgg16", ())) == FeatureNames("vgg16", ())


def test_an_extractor_gives_the_layers_that_its_text_names() -> None:
    steerable = extractor("steerable")
    assert isinstance(steerable, SteerablePyramidFeatures)
    last = steerable.layers[-1]
    image = torch.rand(1, 3, 32, 32)
    assert list(extractor(f"steerable.{last}")(image)) == [last]


def test_the_names_of_small_networks_find_their_real_weights(assets_folder: Path) -> None:
    image = torch.rand(1, 3, 32, 32)
    assert extractor("alexnet.relu2")(image)["relu2"].shape == (1, 192, 3, 3)
    with pytest.raises(SpecError, match="alexnet needs at least one layer"):
        extractor("alexnet")


@pytest.mark.parametrize("text", ["vgg16.relu4_3", "vgg19.relu3_4+relu4_4"])
def test_without_weights_the_error_names_the_features_that_need_none(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path))
    with pytest.raises(AssetError, match="distilled") as caught:
        extractor(text)
    assert "\n" not in str(caught.value)
    assert text.partition(".")[0] in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="mine.safetensors"):
        extractor(f"{tmp_path / 'mine.safetensors'}.relu4_3")
