"""VGG: the chain of convolutions it is, in both input conventions, frozen, and honest about its weights."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from pdloss.assets.catalogue import CONVENTIONS
from pdloss.errors import AssetError, SpecError
from pdloss.features import VGG16Features, VGG19Features, extractor
from pdloss.features.vgg import layer_plan
from pdloss.images import read_image

CAFFE = "channel order BGR, values 0..255, minus the mean (103.939, 116.779, 123.68) in that order"
TORCHVISION = CONVENTIONS["torchvision"]
SHAPES = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128)}
"""Output and input channels of VGG16's convolutions up to relu2_2, by their place in torchvision's `features`."""


def weights() -> dict[str, Tensor]:
    stream = torch.Generator().manual_seed(0)
    made = {}
    for index, (out, into) in SHAPES.items():
        made[f"features.{index}.weight"] = torch.randn(out, into, 3, 3, generator=stream) * (2 / (9 * into)) ** 0.5
        made[f"features.{index}.bias"] = 0.1 * torch.randn(out, generator=stream)
    return made


def written(folder: Path, convention: str | None, tensors: dict[str, Tensor] | None = None) -> Path:
    path = folder / "weights.safetensors"
    save_file(tensors or weights(), path, {"input_convention": convention} if convention else None)
    return path


def picture(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def chain(x: Tensor, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The layers up to relu2_2 of an input already in the network's own convention."""
    maps = {}
    for name, index in [("1_1", 0), ("1_2", 2), ("2_1", 5), ("2_2", 7)]:
        kernel, bias = tensors[f"features.{index}.weight"].double(), tensors[f"features.{index}.bias"].double()
        maps[f"conv{name}"] = F.conv2d(x, kernel, bias, padding=1)
        maps[f"relu{name}"] = x = maps[f"conv{name}"].clamp(min=0)
        if name == "1_2":
            maps["pool1"] = x = F.max_pool2d(x, 2)
    return maps


def as_caffe(images: Tensor) -> Tensor:
    red, green, blue = (255 * images).unbind(1)
    return torch.stack([blue - 103.939, green - 116.779, red - 123.68], 1)


def as_torchvision(images: Tensor) -> Tensor:
    red, green, blue = images.unbind(1)
    return torch.stack([(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225], 1)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (2, 2), (13, 4)])
@pytest.mark.parametrize(
    ("convention", "prepared"),
    [
        (CAFFE, as_caffe),
        (CONVENTIONS["caffe"], as_caffe),
        (TORCHVISION, as_torchvision),
        ("torchvision", as_torchvision),
    ],
)
def test_equals_the_chain_of_its_convolutions(convention, prepared, size: tuple[int, int], tmp_path: Path) -> None:
    layers = ["relu2_2", "conv1_1", "relu1_1", "conv1_2", "pool1", "conv2_1", "relu2_1", "conv2_2"]
    images = picture(2, 3, *size)
    maps = VGG16Features(layers, written(tmp_path, convention)).to(torch.float64)(images)
    expected = chain(prepared(images), weights())
    assert list(maps) == layers
    for layer in layers:
        scale = expected[layer].abs().max()
        torch.testing.assert_close(maps[layer] / scale, expected[layer] / scale, atol=1e-6, rtol=0, msg=layer)
    assert maps["conv2_1"].min() < 0 <= maps["relu2_1"].min()


def test_another_pooling_takes_the_place_of_the_maximum(tmp_path: Path) -> None:
    path, images = written(tmp_path, TORCHVISION), picture(1, 3, 9, 6).float()

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2)

    maps = VGG16Features(["relu1_2", "pool1", "relu2_1"], path, pool=mean)(images)
    torch.testing.assert_close(maps["pool1"], F.avg_pool2d(maps["relu1_2"], 2))
    tensors = weights()
    expected = F.conv2d(maps["pool1"], tensors["features.5.weight"], tensors["features.5.bias"], padding=1)
    torch.testing.assert_close(maps["relu2_1"], expected.relu())
    assert (VGG16Features(["pool1"], path)(images)["pool1"] - maps["pool1"]).abs().max() > 0.1


def test_both_depths_agree_where_they_are_the_same_network(tmp_path: Path) -> None:
    path, images = written(tmp_path, CAFFE), picture(1, 3, 8, 8).float()
    assert torch.equal(
        VGG16Features(["relu2_2"], path)(images)["relu2_2"], VGG19Features(["relu2_2"], path)(images)["relu2_2"]
    )


# Places in torchvision's `features`, of the models as published there.
@pytest.mark.parametrize(
    ("depth", "layer", "index"),
    [
        ("vgg16", "relu3_3", 15),
        ("vgg16", "conv4_3", 21),
        ("vgg16", "relu4_3", 22),
        ("vgg16", "relu5_3", 29),
        ("vgg16", "pool5", 30),
        ("vgg19", "relu3_4", 17),
        ("vgg19", "relu4_3", 24),
        ("vgg19", "relu4_4", 26),
        ("vgg19", "conv5_4", 34),
        ("vgg19", "pool5", 36),
    ],
)
def test_layers_lie_where_torchvision_has_them(depth: str, layer: str, index: int) -> None:
    assert dict(layer_plan(depth))[layer] == index


def test_only_the_layers_needed_are_loaded_and_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = {name: tensor for name, tensor in weights().items() if int(name.split(".")[1]) <= 2}
    vgg = VGG16Features(["conv1_1", "relu1_2"], written(tmp_path, CAFFE, tensors))
    calls, convolve = [], F.conv2d

    def counted(*args: object, **kwargs: object) -> Tensor:
        calls.append(1)
        return convolve(*args, **kwargs)

    monkeypatch.setattr(F, "conv2d", counted)
    vgg(picture(1, 3, 4, 4).float())
    assert len(calls) == 2
    assert {name for name, _ in vgg.named_buffers()} == {"weight0", "bias0", "weight2", "bias2", "scale", "shift"}


def test_is_frozen_and_stays_in_eval_mode(tmp_path: Path) -> None:
    vgg = VGG16Features(["relu1_2"], written(tmp_path, CAFFE))
    parent = nn.ModuleDict({"features": vgg, "other": nn.Linear(2, 2)})
    parent.train()
    assert not vgg.training
    assert list(vgg.parameters()) == []
    assert vgg.state_dict() == {}
    assert set(parent.state_dict()) == {"other.weight", "other.bias"}


def test_follows_the_module_to_a_device(tmp_path: Path) -> None:
    vgg = VGG16Features(["relu2_1"], written(tmp_path, TORCHVISION)).to("meta")
    assert vgg(torch.rand(1, 3, 9, 6, device="meta"))["relu2_1"].shape == (1, 128, 4, 3)


def test_gradients_reach_the_input_and_nothing_else(tmp_path: Path) -> None:
    images = picture(1, 3, 4, 4).requires_grad_()
    vgg = VGG16Features(["relu2_1", "conv1_1"], written(tmp_path, TORCHVISION)).double()
    sum(x.square().mean() for x in vgg(images).values()).backward()
    expected = picture(1, 3, 4, 4).requires_grad_()
    maps = chain(as_torchvision(expected), weights())
    (maps["relu2_1"].square().mean() + maps["conv1_1"].square().mean()).backward()
    torch.testing.assert_close(images.grad, expected.grad, rtol=1e-4, atol=1e-6)
    assert not any(buffer.requires_grad for buffer in vgg.buffers())


def test_half_precision_kernels_are_computed_with_in_float32(tmp_path: Path) -> None:
    halves = {name: tensor.half() if "weight" in name else tensor for name, tensor in weights().items()}
    images = picture(1, 3, 6, 6)
    maps = VGG16Features(["relu2_2"], written(tmp_path, TORCHVISION, halves))(images.float())
    expected = chain(as_torchvision(images), halves)["relu2_2"]
    assert maps["relu2_2"].dtype == torch.float32
    torch.testing.assert_close(maps["relu2_2"].double(), expected, rtol=1e-4, atol=1e-4)


def test_says_what_its_weights_are(tmp_path: Path) -> None:
    origin = VGG16Features(["relu1_1"], written(tmp_path, CAFFE)).origin
    assert list(origin) == ["weights"]
    assert origin["weights"].endswith(CAFFE)


@pytest.mark.parametrize("convention", [None, "0..1", ""])
def test_weights_that_do_not_say_their_convention_are_refused(convention: str | None, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="weights.safetensors does not say its input_convention"):
        VGG16Features(["relu1_1"], written(tmp_path, convention))


def test_weights_of_another_network_are_refused_by_the_key_they_lack(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"is not a vgg16 .* it lacks 'features\.10\.weight'"):
        VGG16Features(["relu3_1"], written(tmp_path, CAFFE))
    path = written(tmp_path, CAFFE, {"blocks.0.weight": torch.zeros(2)})
    with pytest.raises(AssetError, match=r"weights.safetensors is not a vgg19 .* it lacks 'features\.0\.weight'"):
        VGG19Features(["relu1_1"], path)


def test_weights_cut_short_are_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, CAFFE)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(AssetError, match="weights.safetensors"):
        VGG16Features(["relu1_1"], path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vgg16.relu4_4", "vgg16 has no layer 'relu4_4'; did you mean 'relu4_3'"),
        ("vgg19.conv43", "vgg19 has no layer 'conv43'; did you mean 'conv4_3'"),
        ("vgg16", "vgg16 needs at least one layer, such as vgg16.relu5_3"),
    ],
)
def test_unknown_layers_are_answered_with_the_nearest(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        extractor(text)


def test_images_too_small_for_the_pooling_are_refused(tmp_path: Path) -> None:
    vgg = VGG16Features(["relu2_1", "conv1_1"], written(tmp_path, CAFFE))
    vgg(torch.rand(1, 3, 2, 2))
    with pytest.raises(ValueError, match="images of 1x5 are too small for .*relu2_1.* at least 2 pixels a side"):
        vgg(torch.rand(1, 3, 1, 5))
    VGG16Features(["conv1_2"], written(tmp_path, CAFFE))(torch.rand(1, 3, 1, 1))


def test_real_weights_give_sparse_maps_of_the_known_size(assets_folder: Path, images_folder: Path) -> None:
    image = read_image(images_folder / "valid" / "kodak24" / "kodim23.png")[None, :, 100:196, 200:296]
    maps = extractor("vgg19.relu4_3")(image)["relu4_3"]
    assert maps.shape == (1, 512, 12, 12)
    assert maps.isfinite().all()
    assert 0.5 < (maps == 0).float().mean() < 0.95
    # In the Caffe convention values are in the hundreds; the torchvision convention's are 57 times smaller.
    assert 30 < maps[maps > 0].mean() < 1000
