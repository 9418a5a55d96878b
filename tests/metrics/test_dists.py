"""DISTS against a transcription in double precision, and against torchmetrics' formula and pooling."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchmetrics.functional.image.dists as peer
from PIL import Image
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn

from pdloss.errors import AssetError
from pdloss.metrics import DISTS, dists
from pdloss.metrics.dists import l2_pool
from tests.oracles import dists as oracle
from tests.oracles import imagenet

SHAPES = ((3, 5, 4), (6, 3, 3), (2, 1, 2))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A VGG16 of random weights, and random channel weights."""
    folder = tmp_path_factory.mktemp("dists")
    stream = torch.Generator().manual_seed(2)
    save_file({k: torch.rand(1475, generator=stream) for k in ("alpha", "beta")}, folder / "weights.safetensors")
    return imagenet.write(imagenet.vgg16(), folder / "vgg16.safetensors"), folder / "weights.safetensors"


@pytest.fixture(scope="module")
def distance(files):
    return DISTS(*files)


def pair(generator, height=17, width=20, count=1):
    target = torch.rand(count, 3, height, width, generator=generator)
    return (target + 0.2 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def random_maps(generator, count=2):
    """Maps of three layers for f and for g, and channel weights; no two channels alike in mean or spread."""

    def maps():
        draws = torch.randn(count, 60 + 54 + 4, generator=generator, dtype=torch.float64)
        layers = [x.unflatten(1, shape) for x, shape in zip(draws.split([60, 54, 4], 1), SHAPES, strict=True)]
        return [x * x[:1, :, :1, :1].abs() + x[:1, :, -1:, -1:] for x in layers]

    def weights():
        return [torch.rand(shape[0], generator=generator, dtype=torch.float64) for shape in SHAPES]

    return maps(), maps(), weights(), weights()


def test_the_formula_is_the_definition_channel_by_channel(generator):
    f, g, alpha, beta = random_maps(generator)
    joined = [torch.cat(weights).numpy() for weights in (alpha, beta)]
    expected = [oracle.dists([x[i].numpy() for x in f], [x[i].numpy() for x in g], *joined) for i in range(2)]
    assert dists(f, g, alpha, beta).tolist() == pytest.approx(expected, abs=1e-13)
    assert min(expected) > 0.1


def test_the_formula_agrees_with_torchmetrics(generator):
    f, g, alpha, beta = random_maps(generator)
    maps = iter([f, g])
    network = SimpleNamespace(
        alpha=torch.cat(alpha).view(1, -1, 1, 1),
        beta=torch.cat(beta).view(1, -1, 1, 1),
        chns=[len(weights) for weights in alpha],
        forward_once=lambda _: next(maps),
    )
    expected = peer.DISTSNetwork.forward(network, torch.empty(0), torch.empty(0))
    torch.testing.assert_close(dists(f, g, alpha, beta), expected)


@pytest.mark.parametrize("size", [(6, 8), (7, 5), (1, 2)])
def test_pooling_agrees_with_torchmetrics(generator, size):
    x = torch.randn(2, 5, *size, generator=generator)
    torch.testing.assert_close(l2_pool(x), peer.L2pooling(channels=5)(x))


def test_the_whole_agrees_with_the_definition_in_double_precision(files, distance, generator):
    restored, target = pair(generator, count=2)
    target[1] = 0.5
    vgg, weights = ({k: v.astype(np.float64) for k, v in load_file(file).items()} for file in files)
    maps = [[oracle.feature_maps(image.double().numpy(), vgg) for image in images] for images in (restored, target)]
    expected = [oracle.dists(f, g, weights["alpha"], weights["beta"]) for f, g in zip(*maps, strict=True)]
    assert distance(restored, target).tolist() == pytest.approx(expected, abs=2e-6)
    assert min(expected) > 0.01


def test_real_channel_weights_fit_the_layers(files, assets_folder, generator):
    measure = DISTS(files[0], assets_folder / "dists.safetensors")
    restored, target = pair(generator)
    near, far = measure(0.9 * target + 0.1 * restored, target).item(), measure(restored, target).item()
    assert 0 < near < far < 1
    total = measure.frozen("alpha").sum() + measure.frozen("beta").sum()
    assert total.item() == pytest.approx(1, abs=1e-3)  # as published


@pytest.fixture
def real(pretrained):
    """The published network and channel weights."""
    return pretrained("vgg16-torchvision"), pretrained("dists")


def test_real_weights_give_the_values_that_torchmetrics_publishes(real):
    # The examples in the documentation of torchmetrics' class and function, which torchvision's VGG16 computed; all of
    # its examples begin with the seed 42.
    measure, stream = DISTS(*real), torch.Generator().manual_seed(42)
    restored, target = (torch.rand(10, 3, 100, 100, generator=stream) for _ in range(2))
    assert measure(restored, target).mean().item() == pytest.approx(0.1882, abs=6e-5)
    stream = torch.Generator().manual_seed(42)
    restored, target = (torch.rand(5, 3, 256, 256, generator=stream)[:2] for _ in range(2))
    assert measure(restored, target).tolist() == pytest.approx([0.1285, 0.1344], abs=6e-5)


def test_photographs_score_as_the_definition_says_in_double_precision(real, images_folder, generator):
    photograph = np.array(Image.open(images_folder / "valid" / "kodak24" / "kodim05.png"))[200:248, 300:356]
    target = torch.from_numpy(photograph).permute(2, 0, 1)[None] / 255
    noisy = (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1)
    blurred = nn.functional.avg_pool2d(target, 3, 1, 1)
    vgg, weights = ({k: v.astype(np.float64) for k, v in load_file(file).items()} for file in real)
    true = oracle.feature_maps(target[0].double().numpy(), vgg)
    for restored in (noisy, blurred):
        maps = oracle.feature_maps(restored[0].double().numpy(), vgg)
        expected = oracle.dists(maps, true, weights["alpha"].ravel(), weights["beta"].ravel())
        assert DISTS(*real)(restored, target).item() == pytest.approx(expected, abs=2e-6)
        assert expected > 0.05


def test_texture_counts_by_its_statistics_wherever_it_lies(generator):
    f = torch.rand(1, 4, 8, 8, generator=generator)
    elsewhere = f.flatten(2)[:, :, torch.randperm(64, generator=generator)].view_as(f)
    ones, zeros = [torch.ones(4)], [torch.zeros(4)]
    assert dists([f], [elsewhere], ones, zeros).item() == pytest.approx(0, abs=1e-10)
    assert dists([f], [elsewhere], zeros, ones).item() == pytest.approx(1, abs=0.3)  # no correlation is left
    assert dists([f], [1 - f], zeros, ones).item() == pytest.approx(2, abs=1e-3)  # it is turned round


def test_only_the_proportion_of_the_weights_matters(generator):
    f, g, alpha, beta = random_maps(generator)
    torch.testing.assert_close(dists(f, g, [7 * a for a in alpha], [7 * b for b in beta]), dists(f, g, alpha, beta))


def test_float32_says_no_more_of_a_flat_channel_than_double_precision_does(generator):
    # With E[fg] - E[f] E[g] this would come to 33 in float32: beside 25² nothing smaller than 4e-5 is left.
    f = 25 + 1e-3 * torch.randn(1, 1, 16, 16, generator=generator)
    g = f + 1e-3 * torch.randn(1, 1, 16, 16, generator=generator)
    weights = [torch.zeros(1)], [torch.ones(1)]
    exact = dists([f.double()], [g.double()], *weights).item()
    assert dists([f], [g], *weights).item() == pytest.approx(exact, rel=0.01)


def test_the_formula_has_the_gradient_of_its_value(generator):
    f, g, alpha, beta = random_maps(generator, count=1)
    assert torch.autograd.gradcheck(lambda x: dists([x], g[:1], alpha[:1], beta[:1]), f[0].requires_grad_())


@pytest.mark.parametrize("counts", [(2, 1, 1, 1), (1, 1, 2, 1), (1, 1, 1, 2), (0, 0, 0, 0)])
def test_refuses_different_numbers_of_layers(counts):
    lists = [
        [x] * count for x, count in zip((*[torch.zeros(1, 2, 1, 1)] * 2, *[torch.zeros(2)] * 2), counts, strict=True)
    ]
    with pytest.raises(ValueError, match=f"same layers, got {', '.join(map(str, counts))}"):
        dists(*lists)


@pytest.mark.parametrize("constant", [None, 0.0, 0.5, 1.0])
def test_equal_images_score_zero_with_a_gradient_of_zero(distance, generator, constant):
    target = pair(generator)[1] if constant is None else torch.full((1, 3, 16, 16), constant)
    restored = target.clone().requires_grad_()
    value = distance(restored, target)
    value.sum().backward()
    assert value.item() == 0
    assert restored.grad.eq(0).all()


def test_gradients_from_constant_images_are_finite_and_not_zero(distance, generator):
    for constant in (0.0, 0.5, 1.0):
        restored = torch.full((1, 3, 17, 20), constant, requires_grad=True)
        distance(restored, pair(generator)[1]).sum().backward()
        assert restored.grad.isfinite().all()
        assert restored.grad.abs().max() > 0


def test_the_gradient_of_the_pooling_is_finite_where_all_is_zero():
    x = torch.zeros(1, 2, 4, 4, requires_grad=True)
    l2_pool(x).sum().backward()
    assert x.grad.isfinite().all()


def test_each_image_of_a_batch_scores_as_it_would_alone(distance, generator):
    restored, target = pair(generator, count=2)
    alone = torch.cat([distance(r[None], t[None]) for r, t in zip(restored, target, strict=True)])
    assert alone.shape == (2,)
    torch.testing.assert_close(distance(restored, target), alone)
    torch.testing.assert_close(distance(target, restored), alone)


def test_computes_in_float32_under_autocast_and_whatever_comes(distance, generator):
    restored, target = (x.bfloat16() for x in pair(generator))
    exact = distance(restored.float(), target.float())
    with torch.autocast("cpu", torch.bfloat16):
        inside = distance(restored, target)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, exact)
    torch.testing.assert_close(distance(restored.double(), target.double()), exact)


def test_weights_are_frozen_buffers_that_stay_in_eval_mode_and_follow_the_device(files):
    parent = nn.Sequential(DISTS(*files)).train()
    assert list(parent.parameters()) == []
    assert parent.state_dict() == {}
    assert not any(module.training for module in parent[0].modules())
    assert {buffer.device.type for buffer in parent.to("meta").buffers()} == {"meta"}


@pytest.mark.parametrize("size", [(15, 32), (32, 15)])
def test_refuses_images_below_16_with_both_numbers(distance, size):
    assert distance(torch.ones(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)).item() > 0
    images = torch.zeros(1, 3, *size)
    with pytest.raises(ValueError, match=rf"images of {size[0]}x{size[1]} are too small .* at least 16 "):
        distance(images, images)


def test_refuses_different_shapes_with_both_in_the_message(distance):
    with pytest.raises(ValueError, match=r"\(1, 3, 16, 16\) and target \(2, 3, 16, 16\)"):
        distance(torch.zeros(1, 3, 16, 16), torch.zeros(2, 3, 16, 16))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("beta"), "beta should have 1475 weights, but is missing"),
        (lambda weights: weights.update(alpha=torch.ones(1472)), r"alpha should have 1475 weights, but is of shape"),
        (lambda weights: weights["beta"][7].sub_(2), "beta holds negative weights"),
    ],
)
def test_refuses_weights_that_cannot_be_right(files, tmp_path, change, message):
    weights = {k: torch.ones(1475) for k in ("alpha", "beta")}
    change(weights)
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(AssetError, match=message):
        DISTS(files[0], tmp_path / "weights.safetensors")


def test_says_which_weights_it_uses(distance):
    assert set(distance.origin) == {"vgg16", "weights"}
