"""Metrics as losses: the metric's value, a finite gradient wherever training may go, and small crops."""

import pytest
import torch
from safetensors.torch import save_file

from pdloss import metrics
from pdloss.losses.choice import Objective
from pdloss.losses.learned_metrics import DISTS, LPIPS, MetricLoss
from pdloss.losses.ms_ssim import (
    MSSSIM,
    MSSSIML1,
    MSSSIML1Loss,
    MSSSIMLoss,
    ms_ssim_l1_loss,
    ms_ssim_loss,
)  # fmt: skip
from pdloss.specs import Family
from tests.oracles import imagenet

CHOICES = Family("loss", (LPIPS, DISTS, MSSSIM, MSSSIML1))
LOSSES = ("lpips", "dists", "ms_ssim", "ms_ssim_l1")


@pytest.fixture(scope="module")
def losses(tmp_path_factory):
    """A module of each kind that takes 32 pixels a side; the networks have random weights."""
    folder = tmp_path_factory.mktemp("similarity")
    stream = torch.Generator().manual_seed(1)
    save_file({k: torch.rand(1475, generator=stream) for k in ("alpha", "beta")}, folder / "dists.safetensors")
    channels = (64, 128, 256, 384, 384, 512, 512)
    heads = {f"lin{i}.weight": torch.rand(1, c, 1, 1, generator=stream) for i, c in enumerate(channels)}
    save_file(heads, folder / "heads.safetensors")
    squeezenet = imagenet.write(imagenet.squeezenet(), folder / "squeezenet.safetensors")
    vgg16 = imagenet.write(imagenet.vgg16(), folder / "vgg16.safetensors")
    return {
        "lpips": MetricLoss(metrics.LPIPS("squeeze", squeezenet, folder / "heads.safetensors")),
        "dists": MetricLoss(metrics.DISTS(vgg16, folder / "dists.safetensors")),
        "ms_ssim": MSSSIMLoss(scales=2),
        "ms_ssim_l1": MSSSIML1Loss(scales=2),
    }


def pair(generator, side=32, count=1):
    target = torch.rand(count, 3, side, side, generator=generator)
    return (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_a_metric_as_a_loss_is_the_mean_over_the_batch(losses, name, generator):
    restored, target = pair(generator, count=2)
    restored[1] = target[1]
    values = losses[name].metric(restored, target)
    assert losses[name](restored, target).item() == pytest.approx(values[0].item() / 2)
    assert values[0].item() > 0


@pytest.mark.parametrize("constant", [None, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_zero_at_the_target(losses, name, constant, generator):
    target = pair(generator)[1] if constant is None else torch.full((1, 3, 32, 32), constant)
    restored = target.clone().requires_grad_()
    value = losses[name](restored, target)
    value.backward()
    assert value.item() == 0
    assert restored.grad.eq(0).all()


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", LOSSES)
def test_computes_in_float32_under_autocast(losses, name, precision, generator):
    restored, target = (x.to(precision) for x in pair(generator))
    restored.requires_grad_()
    with torch.autocast("cpu", precision):
        inside = losses[name](restored, target)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, losses[name](restored.float(), target.float()))
    inside.backward()
    assert restored.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_and_against_constant_images_are_finite_and_lead_down(losses, name, generator):
    textured = pair(generator)[1]
    flat = torch.full_like(textured, 0.5)
    for start, target in ((flat, textured), (textured, flat), (torch.zeros_like(flat), flat)):
        restored = start.clone().requires_grad_()
        value = losses[name](restored, target)
        value.backward()
        assert restored.grad.isfinite().all()
        step = 1e-3 * restored.grad / restored.grad.norm()
        assert losses[name](restored - step, target) < value


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_reach_the_restored_image_only(losses, name, generator):
    restored, target = (x.requires_grad_() for x in pair(generator))
    losses[name](restored, target).backward()
    assert restored.grad.abs().max() > 0
    assert target.grad is None


@pytest.mark.parametrize(("name", "metric", "least"), [("lpips", "LPIPS", 17), ("dists", "DISTS", 16)])
def test_images_too_small_for_a_network_are_refused(losses, name, metric, least):
    images = torch.zeros(1, 3, 32, least - 1)
    with pytest.raises(
        ValueError, match=f"32x{least - 1} are too small for {metric}, which needs at least {least} .* larger crops"
    ):
        losses[name](images, images)


@pytest.mark.parametrize("name", LOSSES)
def test_refuses_what_cannot_be_compared(losses, name):
    with pytest.raises(ValueError, match=r"\(1, 3, 32, 32\) and target \(2, 3, 32, 32\)"):
        losses[name](torch.zeros(1, 3, 32, 32), torch.zeros(2, 3, 32, 32))
    with pytest.raises(ValueError, match="divide 8-bit values by 255"):
        losses[name](torch.zeros(1, 3, 32, 32).byte(), torch.zeros(1, 3, 32, 32).byte())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MSSSIMLoss(scales=6), "from 1 to 5, got 6"),
        (lambda: MSSSIML1Loss(scales=0), "from 1 to 5, got 0"),
        (lambda: MSSSIML1Loss(alpha=1.5), "from 0 to 1, got 1.5"),
        (lambda: CHOICES.parse("ms_ssim(scales=6)"), "<= 5"),
        (lambda: CHOICES.parse("ms_ssim_l1(alpha=-0.1)"), ">= 0"),
        (lambda: CHOICES.parse("lpips(net='vgg19')"), "expected one of 'alex', 'squeeze', 'vgg'"),
        (lambda: CHOICES.parse("dists(net='vgg')"), "no option 'net'"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "text", ["lpips", "lpips(net='squeeze')", "dists", "ms_ssim(scales=3)", "ms_ssim_l1(alpha=0.5, scales=3)"]
)
def test_the_text_of_a_choice_makes_it_again(text):
    choice = CHOICES.parse(text)
    assert str(choice) == text
    assert CHOICES.parse(choice.in_full()) == choice


def test_choices_build_what_they_say_and_add_up(assets_folder, generator):
    restored, target = pair(generator, side=41)
    made = LPIPS() + 0.5 * LPIPS(net="squeeze") + 2 * MSSSIM(scales=3) + MSSSIML1(scales=2)
    assert isinstance(made, Objective)
    built = made.build()
    terms = built(restored, target)
    expected = {
        "lpips": metrics.LPIPS()(restored, target),
        "lpips_2": metrics.LPIPS("squeeze")(restored, target),
        "ms_ssim": ms_ssim_loss(restored, target, scales=3),
        "ms_ssim_l1": ms_ssim_l1_loss(restored, target, alpha=0.84, scales=2),
    }
    assert {name: value.item() for name, value in terms.values.items()} == pytest.approx(
        {name: value.item() for name, value in expected.items()}
    )
    files = {"alexnet-torchvision", "lpips-alex", "squeezenet1_1-torchvision", "lpips-squeeze"}
    assert set(built.origin) == files


@pytest.mark.parametrize("choice", [LPIPS(net="vgg"), DISTS()])
def test_without_vgg16_the_error_says_so(choice, monkeypatch, tmp_path):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(OSError, match="vgg16-torchvision.safetensors is not in"):
        choice.build()
