"""JPEG in tensors: Pillow's codec bit for bit, its tables, closed-form gradients, and what its pixels tell of it."""

import inspect
import io

import numpy as np
import PIL.features
import PIL.Image
import pytest
import torch

from pdloss.degradations import JPEG
from pdloss.images import read_image
from pdloss.ops.jpeg import jpeg, jpeg_cells, jpeg_coefficients, jpeg_tables

SUBSAMPLINGS = ["4:2:0", "4:4:4"]
needs_turbo = pytest.mark.skipif(
    not PIL.features.check_feature("libjpeg_turbo"), reason="needs a Pillow with libjpeg-turbo, whose bits these are"
)


def waves(height, width, generator, noise=0.1):
    """Smooth colours with some noise: coefficients of all sizes."""
    rows, columns = torch.arange(height)[:, None] / 9, torch.arange(width) / 7
    image = torch.stack(
        [torch.sin(rows + columns), torch.cos(rows - 2 * columns), torch.sin(3 * rows) * torch.cos(columns)]
    )
    return ((0.5 + 0.4 * image + noise * torch.randn(image.shape, generator=generator)).clamp(0, 1) * 255).round() / 255


def from_pillow(image, quality, subsampling):
    return JPEG(quality=quality, subsampling=subsampling)(image, torch.Generator())


@needs_turbo
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("quality", [1, 5, 20, 49, 50, 77, 95, 100])
def test_gives_pillows_bits_at_every_quality(quality, subsampling, generator):
    image = waves(64, 80, generator)
    assert torch.equal(jpeg(image[None], quality, subsampling)[0], from_pillow(image, quality, subsampling))


@needs_turbo
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("size", [(1, 1), (3, 4), (5, 3), (2, 17), (16, 16), (17, 31), (24, 10), (45, 46), (33, 64)])
def test_gives_pillows_bits_at_sizes_that_blocks_do_not_fill(size, subsampling, generator):
    images = torch.stack([waves(*size, generator, noise=0.3) for _ in range(3)])
    expected = torch.stack([from_pillow(image, 60, subsampling) for image in images])
    assert torch.equal(jpeg(images, 60, subsampling), expected)


@needs_turbo
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("name", ["kodim05", "kodim23"])
def test_gives_pillows_bits_on_photographs(name, subsampling, images_folder):
    image = read_image(images_folder / "valid" / "kodak24" / f"{name}.png")
    assert torch.equal(jpeg(image[None], 20, subsampling)[0], from_pillow(image, 20, subsampling))


@pytest.mark.parametrize("quality", range(1, 101))
def test_tables_are_those_that_pillow_writes(quality):
    file = io.BytesIO()
    PIL.Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "JPEG", quality=quality)
    with PIL.Image.open(file) as picture:
        written = picture.quantization
    for table, expected in zip(jpeg_tables(quality), (written[0], written[1]), strict=True):
        assert table.flatten().tolist() == list(expected)


def test_coefficients_are_those_of_the_cosine_transform(generator):
    grey = torch.randint(0, 256, (1, 1, 8, 16), generator=generator).expand(1, 3, 8, 16) / 255
    found = jpeg_coefficients(grey, "4:4:4")
    places = torch.arange(8, dtype=torch.float64)
    waves = torch.cos((2 * places + 1) * places[:, None] * torch.pi / 16) / 2
    waves[0] /= 2**0.5
    for block in range(2):
        levels = grey[0, 0, :, 8 * block : 8 * block + 8].double() * 255 - 128
        # libjpeg's whole numbers are eighths, rounded once more with two bits more.
        assert (found.luma[0, 0, block] - waves @ levels @ waves.T).abs().max() < 0.25
    assert not found.blue.any() and not found.red.any()


def test_the_gradient_without_subsampling_is_that_of_the_identity(generator):
    image = (0.3 + 0.4 * torch.rand(1, 3, 16, 24, generator=generator)).requires_grad_()
    weights = torch.rand(1, 3, 16, 24, generator=generator)
    (gradient,) = torch.autograd.grad((jpeg(image, 80, "4:4:4") * weights).sum(), image)
    torch.testing.assert_close(gradient, weights, rtol=0, atol=1e-3)


def test_a_common_shift_passes_the_subsampled_gradient_whole(generator):
    image = (0.3 + 0.4 * torch.rand(1, 3, 18, 23, generator=generator)).requires_grad_()
    weights = torch.rand(1, 3, 18, 23, generator=generator)
    (gradient,) = torch.autograd.grad((jpeg(image, 20) * weights).sum(), image)
    assert gradient.sum().item() == pytest.approx(weights.sum().item(), rel=1e-3)
    assert (gradient - weights).abs().max() > 0.1


@pytest.mark.parametrize(("level", "slope"), [(128, 0.0), (129, 3 * 0.2**2), (130, 3 * 0.4**2), (131, 3 * 0.4**2)])
def test_cubic_rounding_has_its_slope_from_the_place_in_the_cell(level, slope):
    # At quality 20 the step of the mean is 40, five levels of a flat block.
    image = torch.full((1, 3, 8, 8), level / 255, requires_grad=True)
    restored = jpeg(image, 20, "4:4:4", rounding="cubic")
    (gradient,) = torch.autograd.grad(restored.sum(), image)
    assert gradient.sum().item() == pytest.approx(slope * 3 * 64, abs=0.1)


def test_values_outside_the_range_are_cut_off_without_a_gradient():
    image = torch.tensor([-0.5, 0.5, 1.5]).view(3, 1, 1, 1).expand(3, 3, 8, 8).clone().requires_grad_()
    values = jpeg(image, 90, "4:4:4")
    assert torch.equal(values[0], torch.zeros(3, 8, 8)) and torch.equal(values[2], torch.ones(3, 8, 8))
    (gradient,) = torch.autograd.grad(values.sum(), image)
    assert not gradient[0].any() and not gradient[2].any() and gradient[1].any()


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_the_pixels_tell_the_cells(subsampling, generator):
    image = 0.3 + 0.4 * waves(64, 48, generator, noise=0.05)[None]
    coefficients, decoded = jpeg_coefficients(image, subsampling), jpeg(image, 20, subsampling)
    cells = jpeg_cells(decoded, 20, subsampling)
    tables = jpeg_tables(20)
    for values, found, table in zip(coefficients, cells, (tables[0], tables[1], tables[1]), strict=True):
        assert found.any()
        steps = values / table
        assert torch.equal(found, steps.sign() * (steps.abs() + 0.5).floor())


def test_half_precision_is_computed_in_single(generator):
    image = waves(16, 16, generator)[None]
    assert jpeg(image.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_a_quality_that_there_is_not_is_refused(quality):
    for function in (jpeg, jpeg_cells):
        with pytest.raises(ValueError, match=f"a JPEG quality is a whole number from 1 to 100, got {quality}"):
            function(torch.rand(1, 3, 8, 8), quality)


def test_what_is_no_rgb_batch_is_refused():
    unwatched = inspect.unwrap(jpeg_coefficients)  # by jaxtyping, which under pytest would speak first
    for shape in ((3, 8, 8), (1, 1, 8, 8), (1, 3, 0, 8)):
        with pytest.raises(ValueError, match="expected RGB images with pixels"):
            unwatched(torch.zeros(shape))
