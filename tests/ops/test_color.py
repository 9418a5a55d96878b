import numpy as np
import pytest
import skimage.color
import torch
from PIL import Image

from pdloss.ops.color import luma, quantize


@pytest.mark.parametrize(
    ("rgb", "level"),
    [
        ((0, 0, 0), 16),
        ((1, 1, 1), 235),
        ((1, 0, 0), 81.481),
        ((0, 1, 0), 144.553),
        ((0, 0, 1), 40.966),
        ((0.5, 0.5, 0.5), 125.5),
    ],
)
def test_luma_of_pure_colours_is_matlabs(rgb, level):
    image = torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1)
    assert luma(image).item() * 255 == pytest.approx(level, abs=1e-12)


def test_luma_agrees_with_scikit_image(generator):
    images = torch.rand(2, 3, 5, 7, generator=generator, dtype=torch.float64)
    expected = skimage.color.rgb2ycbcr(images.numpy(), channel_axis=1)[:, :1]
    np.testing.assert_allclose(luma(images).numpy() * 255, expected, rtol=1e-12)


def test_quantizing_gives_what_a_saved_png_gives_back(generator, tmp_path):
    image = torch.rand(3, 16, 16, generator=generator) * 1.2 - 0.1
    nearest = np.array(
        [[[min(max(round(float(v) * 255), 0), 255) for v in row] for row in plane] for plane in image], dtype=np.uint8
    )
    Image.fromarray(nearest.transpose(1, 2, 0)).save(tmp_path / "image.png")
    stored = torch.from_numpy(np.array(Image.open(tmp_path / "image.png"))).permute(2, 0, 1) / 255
    torch.testing.assert_close(quantize(image), stored, rtol=0, atol=0)


def test_quantizing_leaves_the_256_levels_exactly_as_they_are():
    levels = torch.arange(256) / 255
    torch.testing.assert_close(quantize(levels), levels, rtol=0, atol=0)


def test_quantizing_sends_halves_up():
    halves = torch.tensor([0.5, 2.5, 100.5, 254.5], dtype=torch.float64) / 255
    assert (quantize(halves) * 255).round().tolist() == [1, 3, 101, 255]


def test_quantizing_clamps_what_lies_outside():
    assert quantize(torch.tensor([-3.0, -0.001, 1.001, 7.0])).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_quantizing_half_precision_returns_levels_that_float32_can_hold(dtype):
    values = torch.linspace(0, 1, 50).to(dtype)
    assert quantize(values).dtype == torch.float32
    levels = quantize(values) * 255
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=2e-5)
