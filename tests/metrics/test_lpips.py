import numpy as np
import pytest
import torch
import torchmetrics.functional.image.lpips as peer
from PIL import Image
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file
from torch import nn

from pdloss.errors import AssetError
from pdloss.metrics import LPIPS, lpips
from tests.oracles import imagenet
from tests.oracles import lpips as oracle

CHANNELS = (64, 192, 384, 256, 256)


def random_heads():
    return {f"lin{i}.weight": torch.rand(1, c, 1, 1) for i, c in enumerate(CHANNELS)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A backbone and heads of random weights."""
    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("lpips")
    shapes = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
    backbone = {}
    for index, (maps, channels, size) in shapes.items():
        backbone[f"features.{index}.weight"] = torch.randn(maps, channels, size, size) / (channels * size**2) ** 0.5
        backbone[f"features.{index}.bias"] = 0.1 * torch.randn(maps)
    save_file(backbone, folder / "backbone.safetensors")
    save_file(random_heads(), folder / "heads.safetensors")
    return folder / "backbone.safetensors", folder / "heads.safetensors"


@pytest.fixture(scope="module")
def distance(files):
    return LPIPS("alex", *files)


def pair(generator, height=35, width=32, count=1):
    target = torch.rand(count, 3, height, width, generator=generator)
    return (target + 0.2 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def check_against_oracle(files, restored, target):
    weights, heads = ({k: v.astype(np.float64) for k, v in load_file(file).items()} for file in files)
    expected = [
        oracle.lpips(r.double().numpy(), t.double().numpy(), weights, heads)
        for r, t in zip(restored, target, strict=True)
    ]
    assert LPIPS("alex", *files)(restored, target).tolist() == pytest.approx(expected, abs=1e-6)
    return expected


def test_agrees_with_the_published_definition_in_double_precision(assets_folder, generator):
    files = (assets_folder / "alexnet-torchvision.safetensors", assets_folder / "lpips-alex.safetensors")
    restored, target = pair(generator, 43, 37, count=2)
    target[1] = 0.0  # a black image: every position has the same features
    expected = check_against_oracle(files, restored, target)
    assert min(expected) > 0.01


def test_squeezenet_and_its_heads_agree_with_torchmetrics(assets_folder, generator, monkeypatch):
    network = nn.Module()
    network.features = imagenet.squeezenet()
    network.load_state_dict(load_tensors(assets_folder / "squeezenet1_1-torchvision.safetensors"))
    restored, target = pair(generator, 59, 46, count=2)  # sides at which poolings that round up and down differ
    target[1] = 0.0
    check_against_torchmetrics("squeeze", network.features, LPIPS("squeeze"), restored, target, monkeypatch)


def test_vgg16_and_its_heads_agree_with_torchmetrics(assets_folder, generator, monkeypatch, tmp_path):
    network = imagenet.vgg16()  # the real heads on a random network: its own weights are not at hand
    path = imagenet.write(network, tmp_path / "vgg16.safetensors")
    measure = LPIPS("vgg", path, assets_folder / "lpips-vgg.safetensors")
    check_against_torchmetrics("vgg", network, measure, *pair(generator, 21, 18, count=2), monkeypatch)


def test_photographs_score_as_with_torchmetrics_and_its_heads(assets_folder, images_folder, generator, monkeypatch):
    network = nn.Module()
    network.features = imagenet.alexnet()
    network.load_state_dict(load_tensors(assets_folder / "alexnet-torchvision.safetensors"))
    monkeypatch.setenv("PDLOSS_ASSETS", str(assets_folder))
    restored, target = noisy_photograph(images_folder, generator)
    check_against_torchmetrics("alex", network.features, LPIPS("alex"), restored, target, monkeypatch)


def test_photographs_score_with_the_real_vgg16_as_with_torchmetrics_and_its_heads(
    pretrained, images_folder, generator, monkeypatch
):
    backbone, heads = pretrained("vgg16-torchvision"), pretrained("lpips-vgg")
    network = nn.Module()
    network.features = imagenet.vgg16()
    network.load_state_dict(load_tensors(backbone))
    restored, target = noisy_photograph(images_folder, generator)
    check_against_torchmetrics("vgg", network.features, LPIPS("vgg", backbone, heads), restored, target, monkeypatch)


def noisy_photograph(images_folder, generator):
    photograph = np.array(Image.open(images_folder / "valid" / "kodak24" / "kodim05.png"))[200:328, 300:428]
    target = (torch.from_numpy(photograph).permute(2, 0, 1)[None] / 255).expand(2, -1, -1, -1)
    noise = torch.randn(2, 3, 128, 128, generator=generator)
    return (target + torch.tensor([0.05, 0.1]).view(2, 1, 1, 1) * noise).clamp(0, 1), target


def check_against_torchmetrics(net, features, measure, restored, target, monkeypatch):
    """Compares with torchmetrics' slices and packaged heads on the same features; its epsilon is 100 times ours."""
    monkeypatch.setattr(peer, "_get_tv_model_features", lambda *_: features)
    expected = peer._LPIPS(net=net, pnet_rand=True)(restored, target, normalize=True).flatten().tolist()
    assert measure(restored, target).tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert min(expected) > 0.01


def test_random_weights_agree_with_the_published_definition_too(files, generator):
    check_against_oracle(files, *pair(generator))


def test_more_noise_on_photographs_is_further_away(assets_folder, images_folder, generator, monkeypatch):
    monkeypatch.setenv("PDLOSS_ASSETS", str(assets_folder))
    crops = []
    for number in (5, 23):
        photograph = np.array(Image.open(images_folder / "valid" / "kodak24" / f"kodim{number:02}.png"))
        crops.append(torch.from_numpy(photograph[200:328, 300:428]).permute(2, 0, 1) / 255)
    target = torch.stack(crops)
    noise = torch.randn(target.shape, generator=generator)
    measure = LPIPS()
    values = torch.stack([measure((target + s / 255 * noise).clamp(0, 1), target) for s in (2, 10, 25, 50, 100)])
    assert (values.diff(dim=0) > 0).all()
    assert values[0].max() < 0.05
    assert values[-1].min() > 0.5


def test_the_networks_agree_on_which_photograph_is_noisier(assets_folder, images_folder, generator):
    photograph = np.array(Image.open(images_folder / "valid" / "kodak24" / "kodim23.png"))[200:264, 300:364]
    target = torch.from_numpy(photograph).permute(2, 0, 1)[None] / 255
    noise = torch.randn(target.shape, generator=generator)
    measure = LPIPS("squeeze")
    values = torch.cat([measure((target + s / 255 * noise).clamp(0, 1), target) for s in (2, 10, 50)])
    assert (values.diff() > 0).all()
    assert values[0] < 0.05
    assert values[-1] > 0.3


def test_orthogonal_features_differ_by_the_sum_of_their_weights():
    f, g = torch.zeros(2, 4, 3, 5), torch.zeros(2, 4, 3, 5)
    f[:, 0], g[:, 2] = 7.0, 0.01
    head = torch.tensor([0.25, 9.0, 0.5, 9.0])
    torch.testing.assert_close(lpips([f], [g], [head]), torch.full((2,), 0.75))
    torch.testing.assert_close(lpips([f, f], [g, g], [head, 2 * head]), torch.full((2,), 2.25))


def test_the_length_of_the_features_does_not_matter(generator):
    f, g = torch.rand(2, 1, 6, 4, 4, generator=generator)
    head = torch.rand(6, generator=generator)
    torch.testing.assert_close(lpips([30 * f], [0.2 * g], [head]), lpips([f], [g], [head]))


def test_the_epsilon_inside_the_root_changes_the_published_value_by_less_than_1e_6(generator):
    # The shortest feature vector of AlexNet seen on photographs and on flat images has length 0.2.
    f, g = torch.rand(2, 1, 64, 5, 5, generator=generator, dtype=torch.float64) * 0.2 / 64**0.5
    head = torch.ones(64, dtype=torch.float64)
    u, v = (x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10) for x in (f, g))
    published = (u - v).square().sum(dim=1).mean()
    assert lpips([f], [g], [head]).item() == pytest.approx(published.item(), abs=1e-6)


def test_the_gradient_is_finite_where_all_features_are_zero(generator):
    g = torch.rand(1, 3, 2, 2, generator=generator)
    for target in (g, torch.zeros_like(g)):
        f = torch.zeros(1, 3, 2, 2, requires_grad=True)
        lpips([f], [target], [torch.ones(3)]).sum().backward()
        assert f.grad.isfinite().all()


def test_the_formula_has_the_gradient_of_its_value(generator):
    f, g = torch.rand(2, 1, 5, 3, 2, generator=generator, dtype=torch.float64)
    head = torch.rand(5, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: lpips([x], [g], [head]), f.requires_grad_())


@pytest.mark.parametrize("counts", [(2, 1, 1), (1, 2, 1), (1, 1, 2), (0, 0, 0)])
def test_refuses_different_numbers_of_layers(counts):
    features = torch.zeros(1, 2, 1, 1)
    lists = [features] * counts[0], [features] * counts[1], [torch.zeros(2)] * counts[2]
    with pytest.raises(ValueError, match=f"same layers, got {counts[0]}, {counts[1]} and {counts[2]}"):
        lpips(*lists)


@pytest.mark.parametrize("constant", [None, 0.0, 0.5, 1.0])
def test_equal_images_score_zero_with_a_finite_gradient(distance, generator, constant):
    target = pair(generator)[1] if constant is None else torch.full((1, 3, 32, 32), constant)
    restored = target.clone().requires_grad_()
    value = distance(restored, target)
    value.sum().backward()
    assert value.item() == 0
    assert restored.grad.isfinite().all()


def test_gradients_from_constant_images_are_finite_and_not_zero(distance, generator):
    for constant in (0.0, 0.5, 1.0):
        restored = torch.full((1, 3, 35, 32), constant, requires_grad=True)
        distance(restored, pair(generator)[1]).sum().backward()
        assert restored.grad.isfinite().all()
        assert restored.grad.abs().max() > 0


def test_the_order_of_the_images_does_not_matter(distance, generator):
    restored, target = pair(generator)
    torch.testing.assert_close(distance(restored, target), distance(target, restored))


def test_each_image_of_a_batch_scores_as_it_would_alone(distance, generator):
    restored, target = pair(generator, count=3)
    alone = torch.cat([distance(r[None], t[None]) for r, t in zip(restored, target, strict=True)])
    assert alone.shape == (3,)
    torch.testing.assert_close(distance(restored, target), alone)


def test_computes_in_float32_under_autocast(distance, generator):
    restored, target = pair(generator)
    with torch.autocast("cpu", torch.bfloat16):
        value = distance(restored, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, distance(restored, target))


def test_double_precision_images_are_scored_in_double_precision(distance, generator):
    restored, target = (x.double() for x in pair(generator))
    value = distance(restored, target)
    assert value.dtype == torch.float64
    torch.testing.assert_close(value.float(), distance(restored.float(), target.float()))


def test_weights_are_frozen_buffers_that_stay_in_eval_mode_and_follow_the_device(files):
    parent = nn.Sequential(LPIPS("alex", *files)).train()
    assert list(parent.parameters()) == []
    assert parent.state_dict() == {}
    assert not any(module.training for module in parent[0].modules())
    assert {buffer.device.type for buffer in parent.to("meta").buffers()} == {"meta"}


@pytest.mark.parametrize("size", [(30, 64), (64, 30)])
def test_refuses_images_below_31_with_both_numbers(distance, size):
    assert distance(torch.ones(1, 3, 31, 31), torch.zeros(1, 3, 31, 31)).item() > 0
    images = torch.zeros(1, 3, *size)
    with pytest.raises(ValueError, match=rf"images of {size[0]}x{size[1]} are too small .* at least 31 "):
        distance(images, images)


def test_squeezenet_takes_images_from_17_on(assets_folder):
    measure = LPIPS("squeeze")
    assert measure(torch.ones(1, 3, 17, 17), torch.zeros(1, 3, 17, 17)).item() > 0
    with pytest.raises(ValueError, match=r"images of 16x17 are too small .* at least 17 "):
        measure(torch.ones(1, 3, 16, 17), torch.zeros(1, 3, 16, 17))


def test_an_unknown_network_is_refused():
    with pytest.raises((ValueError, TypeError), match="net"):
        LPIPS("resnet")


def test_vgg16_without_its_weights_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match="vgg16-torchvision.safetensors is not in"):
        LPIPS("vgg")


def test_heads_of_another_network_are_refused(assets_folder):
    with pytest.raises(AssetError, match="no LPIPS heads for SqueezeNet: lin1.weight should have 128 weights"):
        LPIPS("squeeze", heads=assets_folder / "lpips-alex.safetensors")


def test_refuses_different_shapes_with_both_in_the_message(distance):
    with pytest.raises(ValueError, match=r"\(1, 3, 40, 40\) and target \(2, 3, 40, 40\)"):
        distance(torch.zeros(1, 3, 40, 40), torch.zeros(2, 3, 40, 40))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda heads: heads.pop("lin3.weight"), "lin3.weight should have 256 weights, but is missing"),
        (lambda heads: heads.update({"lin1.weight": torch.ones(1, 128, 1, 1)}), r"is of shape \(1, 128, 1, 1\)"),
        (lambda heads: heads["lin2.weight"][0, 7].neg_(), "lin2.weight holds negative weights"),
    ],
)
def test_refuses_heads_that_cannot_be_right(files, tmp_path, change, message):
    heads = random_heads()
    change(heads)
    save_file(heads, tmp_path / "heads.safetensors")
    with pytest.raises(AssetError, match=message):
        LPIPS("alex", files[0], tmp_path / "heads.safetensors")


def test_says_which_weights_it_uses(distance):
    assert set(distance.origin) == {"backbone", "heads"}
