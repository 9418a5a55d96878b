"""What AlexNet and SqueezeNet promise alike."""

import pytest
import torch
from torch import nn

from pdloss.features import SqueezeNetFeatures
from pdloss.features.alexnet import AlexNetFeatures
from tests.oracles import imagenet

NETWORKS = {
    "alexnet": (AlexNetFeatures, imagenet.alexnet, "relu5", 2_469_696),
    "squeezenet": (SqueezeNetFeatures, imagenet.squeezenet, "fire9", 722_496),
}


@pytest.fixture(scope="module", params=NETWORKS)
def deepest(request, tmp_path_factory):
    """An extractor of one deep layer, its name, and how many weights it takes."""
    features, network, layer, count = NETWORKS[request.param]
    path = imagenet.write(network(), tmp_path_factory.mktemp(request.param) / "random.safetensors")
    return features([layer], path), layer, count


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {name: imagenet.write(made[1](), folder / f"{name}.safetensors") for name, made in NETWORKS.items()}


@pytest.mark.parametrize(
    ("name", "layer", "side"),
    [
        *(("alexnet", layer, side) for layer, side in (("conv1", 7), ("relu1", 7), ("pool1", 15), ("pool2", 31))),
        *(("alexnet", layer, side) for layer, side in (("relu5", 31), ("pool5", 63))),
        *(("squeezenet", layer, side) for layer, side in (("conv1", 3), ("relu1", 3), ("pool1", 5), ("fire3", 5))),
        *(("squeezenet", layer, side) for layer, side in (("pool3", 9), ("fire9", 17))),
    ],
)
def test_the_minimum_side_leaves_one_position_and_one_pixel_less_is_refused(files, name, layer, side):
    net = NETWORKS[name][0]([layer], files[name])
    assert net(torch.zeros(1, 3, side, side))[layer].shape[2:] == (1, 1)
    with pytest.raises(ValueError, match=rf"images of {side}x{side - 1} are too small for {layer}, .* least {side} "):
        net(torch.zeros(1, 3, side, side - 1))


def test_weights_are_frozen_buffers_outside_of_optimisers_and_checkpoints(deepest):
    net, _, count = deepest
    parent = nn.Sequential(net).train()
    assert list(parent.parameters()) == []
    assert parent.state_dict() == {}
    assert not net.training
    assert sum(buffer.numel() for buffer in net.buffers()) == count + 6  # and the mean and std


def test_computes_in_float32_under_autocast_and_from_half_precision(deepest, generator):
    net, layer, _ = deepest
    images = torch.rand(1, 3, 33, 33, generator=generator).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        inside = net(images)[layer]
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, net(images.float())[layer])
    assert net(images.double())[layer].dtype == torch.float64


def test_gradients_reach_the_images(deepest, generator):
    net, layer, _ = deepest
    images = torch.rand(1, 3, 31, 31, generator=generator, requires_grad=True)
    net(images)[layer].sum().backward()
    assert images.grad.abs().max() > 0


def test_says_which_weights_it_uses(deepest):
    origin = deepest[0].origin
    assert list(origin) == ["random"]
    assert "RGB, random weights" in origin["random"]
