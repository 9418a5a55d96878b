"""The VGG16 of the metrics: torchvision's and no other, in full precision."""

import pytest
import torch

from pdloss.assets.catalogue import CONVENTIONS
from pdloss.errors import AssetError
from pdloss.metrics.dists import l2_pool
from pdloss.metrics.vgg16 import TorchvisionVGG16
from tests.oracles import imagenet


@pytest.fixture(scope="module")
def network():
    return imagenet.vgg16()[:4]


def test_is_torchvisions_network_in_float32_whatever_comes(network, tmp_path, generator):
    vgg = TorchvisionVGG16(["relu1_2"], imagenet.write(network, tmp_path / "vgg.safetensors"))
    images = torch.rand(1, 3, 8, 8, generator=generator).bfloat16()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = network((images.float() - mean) / std)
    with torch.autocast("cpu", torch.bfloat16):
        inside = vgg(images)["relu1_2"]
    for maps in (inside, vgg(images.float())["relu1_2"], vgg(images.double())["relu1_2"]):
        assert maps.dtype == torch.float32
        torch.testing.assert_close(maps, expected, rtol=1e-5, atol=1e-5)


def test_weights_of_caffe_are_refused(network, tmp_path):
    path = imagenet.write(network, tmp_path / "vgg.safetensors", CONVENTIONS["caffe"])
    with pytest.raises(AssetError, match=r"vgg.safetensors follows the caffe convention.*use vgg16-torchvision"):
        TorchvisionVGG16(["relu1_2"], path)


def test_the_weights_looked_for_are_torchvisions(monkeypatch, tmp_path):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match="vgg16-torchvision.safetensors is not in"):
        TorchvisionVGG16(["relu1_2"])


@torch.no_grad()
def test_two_metrics_on_the_same_weights_compute_the_first_block_once(tmp_path, generator, monkeypatch):
    path = imagenet.write(imagenet.vgg16()[:9], tmp_path / "vgg.safetensors")
    first, second = TorchvisionVGG16(["relu1_2", "relu2_2"], path), TorchvisionVGG16(["relu2_2"], path, l2_pool)
    images = torch.rand(1, 3, 16, 16, generator=generator)
    alone = TorchvisionVGG16(["relu2_2"], path, l2_pool)(images.clone())["relu2_2"]
    calls = []
    convolve = torch.nn.functional.conv2d
    monkeypatch.setattr(
        "torch.nn.functional.conv2d", lambda x, *rest, **more: calls.append(x) or convolve(x, *rest, **more)
    )
    first(images)
    counts = [len(calls)]
    assert torch.equal(second(images)["relu2_2"], alone)
    counts.append(len(calls) - counts[0])
    # Four convolutions; then two, and one of the pooling.
    assert counts == [4, 3]
    other = TorchvisionVGG16(["relu1_1"], path)
    assert torch.equal(other(images)["relu1_1"], first.first_block(images)["relu1_1"])
