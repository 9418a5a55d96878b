"""SqueezeNet 1.1 against the network as torchvision lines it up, layer by layer."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pdloss.errors import AssetError, SpecError
from pdloss.features import SqueezeNetFeatures, extractor
from tests.oracles import imagenet

LAYERS = [
    *("conv1", "relu1", "pool1", "fire2", "fire3", "pool3"),
    *("fire4", "fire5", "pool5", "fire6", "fire7", "fire8", "fire9"),
]


@pytest.fixture(scope="module")
def reference():
    return imagenet.squeezenet()


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    return imagenet.write(reference, tmp_path_factory.mktemp("squeezenet") / "random.safetensors")


# Sides at which rounding up and rounding down differ at every pooling, at some, at none.
@pytest.mark.parametrize("size", [(29, 50), (63, 36), (17, 17)])
def test_every_layer_is_the_one_at_its_index_in_torchvisions_network(reference, weights, generator, size):
    images = torch.rand(2, 3, *size, generator=generator)
    maps = SqueezeNetFeatures(LAYERS, weights)(images)
    assert list(maps) == LAYERS
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x = (images - mean) / std
    for layer, module in zip(LAYERS, reference, strict=True):
        x = module(x)
        torch.testing.assert_close(maps[layer], x, msg=layer)


def test_real_weights_agree_too(assets_folder, generator):
    path = assets_folder / "squeezenet1_1-torchvision.safetensors"
    network = nn.Module()
    network.features = imagenet.squeezenet()
    from safetensors.torch import load_file

    network.load_state_dict(load_file(path))
    images = torch.rand(1, 3, 41, 38, generator=generator)
    normalised = (images - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    maps = SqueezeNetFeatures(["fire9"], path)(images)["fire9"]
    torch.testing.assert_close(maps, network.features(normalised))
    assert maps.max() > 1


def test_the_name_in_text_finds_the_real_weights(assets_folder, generator):
    maps = extractor("squeezenet.fire5+relu1")(torch.rand(1, 3, 33, 33, generator=generator))
    assert {name: tuple(x.shape) for name, x in maps.items()} == {"fire5": (1, 256, 4, 4), "relu1": (1, 64, 16, 16)}


def test_only_the_weights_needed_are_read(reference, tmp_path):
    path = tmp_path / "first.safetensors"
    first = {f"features.{k}": v for k, v in reference.state_dict().items() if k.split(".")[0] in ("0", "3")}
    save_file(first, path)
    SqueezeNetFeatures(["fire2"], path)
    with pytest.raises(
        AssetError, match=r"first.safetensors is not torchvision's SqueezeNet 1.1: it lacks 'features.4.squeeze.weight'"
    ):
        SqueezeNetFeatures(["fire3"], path)


def test_refuses_kernels_of_version_1_0_with_both_shapes(tmp_path):
    path = tmp_path / "older.safetensors"
    save_file({"features.0.weight": torch.zeros(96, 3, 7, 7), "features.0.bias": torch.zeros(96)}, path)
    with pytest.raises(AssetError, match=r"features.0.weight is \(96, 3, 7, 7\) instead of \(64, 3, 3, 3\)"):
        SqueezeNetFeatures(["relu1"], path)


def test_refuses_unknown_layers_with_a_guess_and_none_with_an_example(weights):
    with pytest.raises(SpecError, match="squeezenet has no layer 'fire10'; did you mean 'fire"):
        SqueezeNetFeatures(["fire10"], weights)
    with pytest.raises(SpecError, match=r"squeezenet needs at least one layer, such as squeezenet\.fire8"):
        extractor("squeezenet")
