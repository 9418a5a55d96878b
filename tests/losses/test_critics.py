"""Critics: the published parameter counts, sizes, and whether they learn."""

import pytest
import torch

from pdloss.errors import SpecError
from pdloss.losses.critics import critic


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("srgan", 23_565_505),  # with 96 pixels, as published
        ("unet", 4_376_897),  # the discriminator released with Real-ESRGAN
    ],
)
def test_has_the_published_number_of_parameters(text: str, parameters: int) -> None:
    assert sum(p.numel() for p in critic(text).parameters()) == parameters


def test_srgan_gives_one_logit_an_image() -> None:
    assert critic("srgan(size=32, width=4)")(torch.rand(2, 3, 32, 32)).shape == (2, 1)


@pytest.mark.parametrize("size", [(8, 8), (33, 20)])
def test_unet_gives_one_logit_a_pixel_at_any_size(size: tuple[int, int]) -> None:
    assert critic("unet(width=4)")(torch.rand(2, 3, *size)).shape == (2, 1, *size)


def test_unet_has_unit_spectral_norm_inside() -> None:
    network = critic("unet(width=4)")
    for _ in range(30):  # each pass takes one step of the power iteration
        network(torch.rand(1, 3, 8, 8))
    for layer in [*network.down, *network.up, *network.last]:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("text", ["srgan(size=16, width=8)", "unet(width=8)"])
def test_every_parameter_takes_part(text: str) -> None:
    network = critic(text)
    network(torch.rand(2, 3, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_images_of_another_size_are_refused_with_the_cure() -> None:
    with pytest.raises(
        ValueError, match=r"takes images of 96x96, got 64x64; say critic='srgan\(size=64\)', or critic='unet'"
    ):
        critic("srgan(width=2)")(torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match="at least 8 pixels a side, got 7x9"):
        critic("unet(width=2)")(torch.rand(1, 3, 7, 9))


def test_slips_of_the_pen_are_refused() -> None:
    with pytest.raises(SpecError, match="did you mean 'srgan'"):
        critic("srgn")
    with pytest.raises(SpecError, match="multiple of 16"):
        critic("srgan(size=100)")
