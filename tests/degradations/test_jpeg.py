"""The real codec: Pillow's own result, its scores on Kodak, ranges and what a record needs."""

import io
import math

import numpy as np
import PIL
import PIL.Image
import pytest
import torch

from pdloss.degradations import JPEG, codec, degradation
from pdloss.errors import ImageError
from pdloss.images import list_images, read_image


def levels(*shape, generator):
    return torch.randint(0, 256, shape, generator=generator) / 255


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("quality", [1, 20, 100])
def test_is_what_a_file_gives_back(quality, subsampling, tmp_path, generator):
    clean = levels(3, 19, 26, generator=generator)
    path = tmp_path / "image.jpg"
    rows = (clean * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    PIL.Image.fromarray(rows).save(path, quality=quality, subsampling=subsampling)
    assert torch.equal(JPEG(quality=quality, subsampling=subsampling)(clean, generator), read_image(path))


def test_subsampling_stands_in_the_file(generator):
    stripes = torch.zeros(3, 16, 16)
    stripes[0, :, ::2], stripes[2, :, 1::2] = 1, 1
    fine, coarse = (JPEG(quality=100, subsampling=s)(stripes, generator) for s in ("4:4:4", "4:2:0"))
    assert (fine - stripes).abs().max() < 0.02
    assert (coarse - stripes).abs().max() > 0.4


def test_higher_quality_is_nearer(generator):
    clean = levels(3, 32, 32, generator=generator)
    errors = [(JPEG(quality=q)(clean, generator) - clean).square().mean() for q in (1, 5, 20, 60, 95)]
    assert errors == sorted(errors, reverse=True)


def test_values_are_cut_off_and_rounded_as_in_a_file(generator):
    assert torch.equal(JPEG(quality=100)(torch.full((3, 8, 8), 1.7), generator), torch.ones(3, 8, 8))
    assert torch.equal(JPEG(quality=100)(torch.full((3, 8, 8), -0.2), generator), torch.zeros(3, 8, 8))
    half = JPEG(quality=90)(levels(3, 9, 9, generator=generator), generator) * 255
    assert (half - half.round()).abs().max() < 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_number_format_and_leaves_image_and_generator_alone(dtype, generator):
    clean = torch.rand(3, 8, 12, generator=generator, dtype=dtype)
    before, state = clean.clone(), generator.get_state()
    assert JPEG()(clean, generator).dtype == dtype
    assert torch.equal(clean, before)
    assert torch.equal(generator.get_state(), state)


def test_a_range_of_qualities_is_drawn_for_each_image(generator):
    kind = degradation("jpeg(quality=10..90)")
    drawn = {kind.drawn(generator).quality for _ in range(60)}
    assert len(drawn) > 20 and min(drawn) >= 10 and max(drawn) <= 90
    clean = levels(3, 16, 16, generator=generator)
    stream = torch.Generator().manual_seed(5)
    chosen = kind.drawn(torch.Generator().manual_seed(5))
    assert torch.equal(kind(clean, stream), JPEG(quality=chosen.quality)(clean, stream))


def test_text_and_object_say_the_same():
    assert degradation("jpeg") == JPEG(quality=20, subsampling="4:2:0")
    assert str(JPEG(quality=35, subsampling="4:4:4")) == "jpeg(quality=35, subsampling='4:4:4')"
    with pytest.raises(ValueError, match="expected one of '4:2:0', '4:4:4'"):
        degradation("jpeg(subsampling='4:2:2')")


def test_sizes_that_jpeg_cannot_hold_are_refused(generator):
    with pytest.raises(ImageError, match="0x8 is no JPEG: sides have 1 to 65500 pixels"):
        JPEG()(torch.zeros(3, 0, 8), generator)
    with pytest.raises(ImageError, match="1x65501 is no JPEG"):
        JPEG()(torch.zeros(3, 1, 65501), generator)


def test_the_codec_is_named_with_its_versions():
    assert codec().startswith(f"Pillow {PIL.__version__}, libjpeg")
    file = io.BytesIO()
    PIL.Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "JPEG")
    assert any(letter.isdigit() for letter in codec().split(", ")[1])


def test_quality_20_gives_the_input_score_measured_on_kodak(images_folder):
    # 29.14 dB: mean over the 24 images, of the PSNR over all RGB values.
    scores = []
    for path in list_images(images_folder / "valid" / "kodak24"):
        clean = read_image(path)
        scores.append(-10 * math.log10((JPEG()(clean, torch.Generator()) - clean).square().mean().item()))
    assert len(scores) == 24
    assert sum(scores) / 24 == pytest.approx(29.14, abs=0.05)


def test_either_subsampling_is_drawn_as_often_and_quality_over_its_range(generator):
    drawn = [degradation("jpeg(quality=10..95, subsampling='either')").drawn(generator) for _ in range(400)]
    fine = sum(one.subsampling == "4:4:4" for one in drawn)
    assert abs(fine - 200) < 5 * 10  # five standard deviations of a fair coin
    assert min(one.quality for one in drawn) < 15 and max(one.quality for one in drawn) > 90
    assert all(isinstance(one.quality, int) for one in drawn)


def test_a_chance_leaves_some_images_as_they_are_to_the_bit(generator):
    clean = torch.rand(3, 16, 16, generator=generator)
    sometimes = degradation("jpeg(quality=5, chance=0.25)")
    untouched = sum(torch.equal(sometimes(clean, generator), clean) for _ in range(400))
    assert abs(untouched - 300) < 5 * 400**0.5 * (0.25 * 0.75) ** 0.5
    drawn = [str(sometimes.drawn(generator)) for _ in range(40)]
    assert set(drawn) == {"jpeg(quality=5)", "jpeg(quality=5, chance=0)"}
    with pytest.raises(ValueError, match="call drawn"):
        JPEG(chance=0.5).degraded(clean, generator)


def test_records_of_before_have_the_same_text_and_draws():
    assert JPEG().in_full() == "jpeg(quality=20, subsampling='4:2:0')"
    one, other = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    degradation("jpeg(quality=30)").drawn(one)
    assert torch.equal(one.get_state(), other.get_state())
