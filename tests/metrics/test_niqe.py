"""NIQE against a port by NumPy and SciPy, and against values that others published for one photograph."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pdloss.errors import AssetError, ImageError
from pdloss.images import read_pixels
from pdloss.metrics.niqe import NIQE, Pristine, fit, niqe, write_model
from pdloss.metrics.scene_statistics import MINIMUM_SIDE, block_features
from tests.metrics.textures import pixels_of, textured
from tests.oracles import niqe as oracle


@pytest.fixture
def model(generator):
    """A model of no photographs, but with a covariance as it must be."""
    root = torch.randn(36, 36, generator=generator, dtype=torch.float64)
    return Pristine(torch.rand(36, generator=generator, dtype=torch.float64), root @ root.T / 36 + 0.01 * torch.eye(36))


def by_port(image, model, gray=oracle.gray):
    return oracle.niqe(gray(pixels_of(image)), model.mean.numpy(), model.covariance.numpy())


def photograph(path):
    return read_pixels(path).pixels[None].float() / 255


@pytest.mark.parametrize(("gray", "port"), [("gray", oracle.gray), ("y", oracle.studio_luma)])
def test_agrees_with_the_port_image_by_image(generator, model, gray, port):
    images = textured(generator, count=2)
    expected = [by_port(image, model, port) for image in images]
    assert niqe(images, model, gray).tolist() == pytest.approx(expected, abs=1e-6)
    assert abs(expected[0] - expected[1]) > 1e-3


@pytest.mark.parametrize(
    ("gray", "border", "expected", "tolerance"),
    [
        # The release itself in MATLAB R2021a, as the documentation of BasicSR's port says.
        ("y", 0, 5.72957338, 1e-5),
        # In the tests of mmagic's port; the last with gray weights of three digits in place of MATLAB's, so that some
        # levels are rounded the other way.
        ("y", 6, 6.10074, 2e-5),
        ("gray", 0, 5.73154, 0.02),
    ],
)
def test_agrees_with_published_values(assets_folder, images_folder, gray, border, expected, tolerance):
    baboon = photograph(images_folder / "valid" / "set14" / "baboon.png")
    value = NIQE(assets_folder / "niqe.safetensors", gray, border)(baboon).item()
    assert value == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("border", "expected"), [(0, 5.62525), (6, 5.82981)])
def test_agrees_with_published_values_of_one_channel(assets_folder, images_folder, border, expected):
    # The blue channel as a gray image in mmagic's tests.
    blue = photograph(images_folder / "valid" / "set14" / "baboon.png")[:, 2:].expand(-1, 3, -1, -1)
    assert NIQE(assets_folder / "niqe.safetensors", border=border)(blue).item() == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("name", ["kodim05", "kodim20"])  # of the second, a tenth is flat
def test_agrees_with_the_port_on_photographs(assets_folder, images_folder, name):
    image = photograph(images_folder / "valid" / "kodak24" / f"{name}.png")[..., :200, -300:]
    measure = NIQE(assets_folder / "niqe.safetensors")
    model = Pristine(measure.frozen("mu"), measure.frozen("cov"))
    assert measure(image, 1 - image).item() == pytest.approx(by_port(image[0], model), abs=1e-6)


def test_noise_and_blur_make_photographs_less_natural(assets_folder, images_folder, generator):
    image = photograph(images_folder / "valid" / "kodak24" / "kodim08.png")
    noisy = image + 0.1 * torch.randn(image.shape, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(image, 7, 1, 3, count_include_pad=False)
    clean, *worse = NIQE(assets_folder / "niqe.safetensors")(torch.cat([image, noisy, blurred])).tolist()
    assert 2 < clean < 5
    assert min(worse) > clean + 2


def test_the_distance_is_that_of_means_where_the_covariances_are_large(generator, model):
    image = textured(generator)
    features = block_features(image).features[0]
    wide = Pristine(features.mean(dim=0) + 3, 1e6 * torch.eye(36, dtype=torch.float64))
    # Every feature is off by 3, and the mean covariance is half of a million times the identity.
    assert niqe(image, wide).item() == pytest.approx(math.sqrt(36 * 9 / 5e5), rel=1e-4)


def test_the_target_is_not_looked_at(generator, model, tmp_path):
    write_model(tmp_path / "model.safetensors", model, "a test")
    measure = NIQE(tmp_path / "model.safetensors")
    image = textured(generator)
    torch.testing.assert_close(measure(image, torch.zeros_like(image)), measure(image))


def test_each_image_of_a_batch_scores_as_it_would_alone(generator, model):
    images = textured(generator, count=3)
    images[1] = images[1].flip(-1) * 0.5
    alone = torch.cat([niqe(image[None], model) for image in images])
    torch.testing.assert_close(niqe(images, model), alone)
    assert alone.std() > 0.01


def test_what_is_left_over_below_and_on_the_right_is_not_looked_at(generator, model):
    image = textured(generator, 230, 200)
    changed = image.clone()
    changed[..., 192:, :] = changed[..., 192:] = 0
    assert niqe(image, model) == niqe(changed, model)
    assert niqe(image, model) != niqe(image.roll(1, -1), model)


def test_the_border_left_out_is_not_looked_at(generator, model):
    image = textured(generator, 204, 204)
    expected = niqe(image[..., 6:-6, 6:-6], model)
    image[..., :6, :] = image[..., -6:] = 9.0
    assert niqe(image, model, border=6) == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_images_count_as_their_8_bit_files(generator, model, dtype):
    image = textured(generator)
    noise = 0.3 / 255 * (torch.rand(image.shape, generator=generator) - 0.5)
    assert niqe((image + noise).to(dtype), model) == niqe(image, model)


@pytest.mark.parametrize("level", [0.0, 0.37, 1.0])
def test_a_constant_image_scores_infinity_and_its_neighbours_do_not(generator, model, level):
    images = textured(generator, count=2)
    images[0] = level
    values = niqe(images, model)
    assert values[0] == math.inf
    assert values[1] == niqe(images[1:], model)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_flat_blocks_count_as_the_port_counts_them(generator, model, level):
    image = textured(generator, 192, 384)
    image[..., :130] = level / 255  # a whole column of blocks, and a part of the next
    assert niqe(image, model).item() == pytest.approx(by_port(image[0], model), abs=1e-6)


def test_one_block_with_structure_is_not_enough(generator, model):
    image = torch.full((1, 3, 192, 192), 0.5)
    image[..., 20:60, 20:60] = textured(generator, 40, 40)
    assert niqe(image, model) == math.inf


@pytest.mark.parametrize("size", [(191, 300), (300, 191), (50, 50)])
def test_images_below_192_are_refused_with_both_numbers(model, size):
    with pytest.raises(ValueError, match=rf"images of {size[0]}x{size[1]} are too small .* at least 192 "):
        niqe(torch.rand(1, 3, *size), model)
    assert MINIMUM_SIDE == NIQE.minimum_side == 192
    with pytest.raises(ValueError, match=r"190x200 are too small"):
        niqe(torch.rand(1, 3, 200, 210), model, border=5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_refused(generator, model, value):
    image = textured(generator)
    image[0, 1, 100, 100] = value
    with pytest.raises(ValueError, match="NaN or infinity"):
        niqe(image, model)


def test_what_is_no_rgb_batch_is_refused(model):
    with pytest.raises(ValueError, match="RGB batches"):
        niqe(torch.rand(2, 1, 200, 200), model)


def test_another_gray_is_refused(generator, model):
    with pytest.raises((ValueError, TypeError), match="gray"):
        niqe(textured(generator), model, "luma")


def test_a_fitted_model_is_the_ports(generator):
    images = [textured(generator, 200, 400), textured(generator, 400, 200, count=4), textured(generator, 290, 290)]
    model = fit(images, threshold=0.3)
    mean, covariance = oracle.fit([oracle.gray(pixels_of(image)) for batch in images for image in batch], 0.3)
    np.testing.assert_allclose(model.mean, mean, atol=1e-8)
    np.testing.assert_allclose(model.covariance, covariance, atol=1e-8)


def test_fitting_takes_the_sharp_blocks_of_each_image(generator):
    # A strong noise on the left of one image, a weak one on the right of another: relative to each, both are sharp.
    strong, weak = (torch.full((1, 3, 96 * 4, 96 * 12), 0.5) for _ in range(2))
    strong[..., : 96 * 6] += 0.2 * torch.randn(1, 3, 384, 576, generator=generator)
    weak[..., 96 * 6 :] += 0.05 * torch.randn(1, 3, 384, 576, generator=generator)
    strong[..., 96 * 6 :] += 0.05 * torch.randn(1, 3, 384, 576, generator=generator)
    model = fit([strong, weak])
    halves = [block_features(strong[..., : 96 * 6])[0], block_features(weak[..., 96 * 6 :])[0]]
    expected = torch.cat([half[0] for half in halves]).mean(dim=0)
    torch.testing.assert_close(model.mean, expected, rtol=0.02, atol=0.002)


def test_a_blank_image_adds_nothing_to_a_model(generator):
    images = [textured(generator, 600, 700)]
    torch.testing.assert_close(fit([*images, torch.ones(1, 3, 200, 200)], 0.1), fit(images, 0.1))


def test_fitting_to_too_few_blocks_is_refused(generator):
    with pytest.raises(ImageError, match=r"give \d+ sharp blocks of 96x96 pixels.*needs at least 37"):
        fit([textured(generator)])
    with pytest.raises(ImageError, match="give 0 sharp blocks"):
        fit([])


def test_a_written_model_is_the_one_that_is_read(generator, model, tmp_path):
    write_model(tmp_path / "own.safetensors", model, "a test")
    image = textured(generator)
    measure = NIQE(tmp_path / "own.safetensors")
    assert measure(image) == niqe(image, model)
    assert "niqe" not in measure.origin and "96 x 96 blocks" in measure.origin["own"]
    assert measure.state_dict() == {} and not list(measure.parameters())


def test_the_model_of_the_authors_is_the_default(assets_folder):
    assert list(NIQE().origin) == ["niqe"]


def test_without_the_model_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match="niqe.safetensors is not in"):
        NIQE()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("cov"), r"cov should be \(36, 36\), but is missing"),
        (lambda tensors: tensors.update(mu=torch.zeros(35)), r"mu should be \(36,\), but is of shape \(35,\)"),
        (lambda tensors: tensors["cov"][3].fill_(math.nan), "cov should be .* not finite"),
    ],
)
def test_a_file_that_is_no_model_is_refused(model, tmp_path, change, message):
    tensors = {"mu": model.mean, "cov": model.covariance.clone()}
    change(tensors)
    save_file(tensors, tmp_path / "wrong.safetensors")
    with pytest.raises(AssetError, match=message):
        NIQE(tmp_path / "wrong.safetensors")
