import pytest
import torch

from pdloss.errors import AssetError, SpecError
from pdloss.metrics import DISTS, LPIPS, METRICS, Entry, build, check_names
from tests.oracles import imagenet

WITHOUT_WEIGHTS = ["psnr", "psnr_y", "ssim", "ssim_y", "ssim_gray", "ms_ssim", "ms_ssim_y", "ms_ssim_gray"]


def check_direction_and_side(name):
    side = METRICS[name].minimum_side
    generator = torch.Generator().manual_seed(1)
    target = torch.rand(1, 3, side + 8, side, generator=generator)
    score = build([name])[name]
    weak, strong = (score(target + s * torch.randn(target.shape, generator=generator), target) for s in (0.01, 0.3))
    assert weak.shape == (1,)
    assert (weak > strong).item() == (METRICS[name].record.better == "higher")
    if side > 1:
        with pytest.raises(ValueError, match=f"at least {side} "):
            score(target[..., 1:], target[..., 1:])


def test_evaluation_can_ask_for_these_metrics():
    assert list(METRICS) == [
        *WITHOUT_WEIGHTS,
        "lpips",
        "lpips_squeeze",
        "lpips_vgg",
        "dists",
        "niqe",
        "sharpness",
        "grid",
        "blocks",
    ]


def test_sharpness_is_nearest_zero_for_the_target_itself(generator):
    target = torch.rand(1, 3, 16, 16, generator=generator)
    score = build(["sharpness"])["sharpness"]
    smooth = torch.nn.functional.avg_pool2d(target, 3, 1, 1)
    values = [score(image, target).item() for image in (target, smooth, 2 * target, torch.full_like(target, 0.5))]
    assert values[0] == 0
    assert -10 < values[1] < -1
    assert values[2] == pytest.approx(2)  # twice the gradients, four times their energy
    assert values[3] == -10


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_metric_turns_the_way_it_says_and_takes_the_side_it_says(name):
    check_direction_and_side(name)


@pytest.mark.parametrize("name", ["lpips", "lpips_squeeze"])
def test_lpips_turns_the_way_it_says_and_takes_the_side_it_says(assets_folder, name):
    check_direction_and_side(name)


@pytest.mark.parametrize("name", METRICS)
def test_every_protocol_says_the_colour_and_the_rounding(name):
    protocol = METRICS[name].record.protocol
    assert "RGB" in protocol
    assert "8 bits" in protocol


def test_metrics_are_built_in_the_order_named():
    assert list(build(["ms_ssim", "psnr"])) == ["ms_ssim", "psnr"]


def test_an_unknown_name_is_refused_with_a_guess_before_any_weights_are_loaded(monkeypatch):
    monkeypatch.setitem(METRICS, "lpips", Entry(METRICS["lpips"].record, factory=lambda: pytest.fail("loaded")))
    with pytest.raises(SpecError, match="unknown metric 'ms-ssim'; did you mean 'ms_ssim'"):
        build(["lpips", "ms-ssim"])
    with pytest.raises(SpecError, match="unknown metric 'ssmi'"):
        check_names(["psnr", "ssmi"])


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("lpips", "alexnet-torchvision"),
        ("lpips_squeeze", "squeezenet1_1-torchvision"),
        ("lpips_vgg", "vgg16-torchvision"),
        ("dists", "vgg16-torchvision"),
    ],
)
def test_a_metric_without_its_weights_says_so(monkeypatch, tmp_path, name, file):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match=f"{file}.safetensors is not in"):
        build([name])


@pytest.mark.parametrize(("name", "kind"), [("lpips_vgg", "vgg"), ("dists", "dists")])
def test_metrics_on_vgg16_state_their_smallest_side(name, kind, tmp_path, assets_folder):
    vgg16 = imagenet.write(imagenet.vgg16(), tmp_path / "vgg16.safetensors")
    measure = DISTS(vgg16) if kind == "dists" else LPIPS("vgg", vgg16)
    assert measure.minimum_side == METRICS[name].minimum_side
