import pytest
import torch

from pdloss.errors import AssetError, SpecError
from pdloss.metrics import METRICS, Entry, build, check_names

WITHOUT_WEIGHTS = [name for name in METRICS if name != "lpips"]


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


def test_evaluation_can_ask_for_four_metrics():
    assert list(METRICS) == ["psnr", "psnr_y", "ms_ssim", "lpips"]


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_metric_turns_the_way_it_says_and_takes_the_side_it_says(name):
    check_direction_and_side(name)


def test_lpips_turns_the_way_it_says_and_takes_the_side_it_says(assets_folder):
    check_direction_and_side("lpips")


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


def test_lpips_without_its_weights_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match="alexnet-torchvision"):
        build(["lpips"])
