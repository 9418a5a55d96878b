"""AlexNet against the network as torchvision lines it up, layer by layer."""

import pytest
import torch
from safetensors.torch import save_file

from pdloss.errors import AssetError, SpecError
from pdloss.features.alexnet import AlexNetFeatures
from tests.oracles import imagenet

LAYERS = [
    *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"),
    *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
]


@pytest.fixture(scope="module")
def reference():
    return imagenet.alexnet()


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    return imagenet.write(reference, tmp_path_factory.mktemp("alexnet") / "random.safetensors")


def test_every_layer_is_the_one_at_its_index_in_torchvisions_network(reference, weights, generator):
    images = torch.rand(2, 3, 71, 66, generator=generator)
    maps = AlexNetFeatures(LAYERS, weights)(images)
    assert list(maps) == LAYERS
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    for index, layer in enumerate(LAYERS):
        torch.testing.assert_close(maps[layer], reference[: index + 1]((images - mean) / std))


def test_layers_come_in_the_order_asked_for(weights, generator):
    net = AlexNetFeatures(["relu3", "conv1"], weights)
    assert list(net(torch.rand(1, 3, 32, 32, generator=generator))) == ["relu3", "conv1"]


def test_only_the_weights_needed_are_read(reference, tmp_path):
    first = {f"features.{k}": v for k, v in reference.state_dict().items() if k.startswith("0.")}
    save_file(first, tmp_path / "first.safetensors")
    AlexNetFeatures(["pool1"], tmp_path / "first.safetensors")
    with pytest.raises(
        AssetError, match=r"first.safetensors is not torchvision's AlexNet: it lacks 'features.3.weight'"
    ):
        AlexNetFeatures(["conv2"], tmp_path / "first.safetensors")


def test_refuses_kernels_of_another_network_with_both_shapes(tmp_path):
    path = tmp_path / "vgg.safetensors"
    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}, path)
    with pytest.raises(AssetError, match=r"features.0.weight is \(64, 3, 3, 3\) instead of \(64, 3, 11, 11\)"):
        AlexNetFeatures(["relu1"], path)


def test_refuses_an_unknown_layer_with_a_guess(weights):
    with pytest.raises(SpecError, match="alexnet has no layer 'relu6'; did you mean 'relu"):
        AlexNetFeatures(["relu6"], weights)
