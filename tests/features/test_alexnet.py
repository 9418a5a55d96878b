import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pdloss.errors import AssetError, SpecError
from pdloss.features.alexnet import AlexNetFeatures

LAYERS = [
    *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"),
    *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
]


@pytest.fixture(scope="module")
def reference():
    """The network as torchvision builds it, with random weights under torchvision's keys."""
    torch.manual_seed(3)
    net = nn.Module()
    net.features = nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
    )
    return net.requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("alexnet") / "random.safetensors"
    save_file(reference.state_dict(), path, metadata={"input_convention": "RGB, random weights"})
    return path


def test_every_layer_is_the_one_at_its_index_in_torchvisions_network(reference, weights, generator):
    images = torch.rand(2, 3, 71, 66, generator=generator)
    maps = AlexNetFeatures(LAYERS, weights)(images)
    assert list(maps) == LAYERS
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    for index, layer in enumerate(LAYERS):
        torch.testing.assert_close(maps[layer], reference.features[: index + 1]((images - mean) / std))


def test_layers_come_in_the_order_asked_for(weights, generator):
    net = AlexNetFeatures(["relu3", "conv1"], weights)
    assert list(net(torch.rand(1, 3, 32, 32, generator=generator))) == ["relu3", "conv1"]


@pytest.mark.parametrize(
    ("layer", "side"), [("conv1", 7), ("relu1", 7), ("pool1", 15), ("pool2", 31), ("relu5", 31), ("pool5", 63)]
)
def test_the_minimum_side_leaves_one_position_and_one_pixel_less_is_refused(weights, layer, side):
    net = AlexNetFeatures([layer], weights)
    assert net(torch.zeros(1, 3, side, side))[layer].shape[2:] == (1, 1)
    with pytest.raises(
        ValueError, match=rf"images of {side}x{side - 1} are too small for {layer}, .* at least {side} "
    ):
        net(torch.zeros(1, 3, side, side - 1))


def test_weights_are_frozen_buffers_outside_of_optimisers_and_checkpoints(weights):
    parent = nn.Sequential(AlexNetFeatures(["relu5"], weights)).train()
    assert list(parent.parameters()) == []
    assert parent.state_dict() == {}
    assert not parent[0].training
    assert sum(buffer.numel() for buffer in parent.buffers()) == 2_469_696 + 6  # and the mean and std


def test_computes_in_float32_under_autocast_and_from_half_precision(weights, generator):
    net = AlexNetFeatures(["relu5"], weights)
    images = torch.rand(1, 3, 33, 33, generator=generator).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        inside = net(images)["relu5"]
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, net(images.float())["relu5"])


def test_gradients_reach_the_images(weights, generator):
    images = torch.rand(1, 3, 31, 31, generator=generator, requires_grad=True)
    AlexNetFeatures(["relu2"], weights)(images)["relu2"].sum().backward()
    assert images.grad.abs().max() > 0


def test_only_the_weights_needed_are_read(reference, tmp_path):
    first = {k: v for k, v in reference.state_dict().items() if k.startswith("features.0.")}
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


def test_says_which_weights_it_uses(weights):
    origin = AlexNetFeatures(["relu1"], weights).origin
    assert list(origin) == ["random"]
    assert "RGB, random weights" in origin["random"]
