"""Which consistency score a degradation has, and that the clean image gets the best one."""

import math

import pytest
import torch

from pdloss.degradations import parse
from pdloss.evaluation.consistency import METRICS, MINIMUM_SIDE, consistency, measures
from pdloss.metrics.consistency import noise_correlation, reblur_psnr
from pdloss.ops.convolution import convolve


def degraded_by(text, clean, seed=0):
    generator = torch.Generator().manual_seed(seed)
    chain = parse(text).drawn(generator)
    return chain, chain(clean, generator)


def clean_image(generator):
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8, generator=generator), (48, 64), mode="bicubic")
    return (0.3 + 0.4 * smooth[0]).mul(255).round() / 255


@pytest.mark.parametrize(
    ("text", "name", "best"),
    [
        ("downscale(factor=4)", "lr_psnr", math.inf),
        ("mosaic(noise=0, pattern='GRBG')", "remosaic_error", 0.0),
        ("jpeg(quality=30..60)", "jpeg_cell_share", 1.0),
    ],
)
def test_the_clean_image_gets_the_best_score(text, name, best, generator):
    clean = clean_image(generator)
    chain, degraded = degraded_by(text, clean)
    assert consistency(chain, clean[None], degraded[None]) == {name: torch.tensor([best])}
    assert consistency(chain.build(), clean[None], degraded[None]) == {name: torch.tensor([best])}
    wrong = consistency(chain, clean[None].flip(-1), degraded[None])
    assert wrong[name].item() != best


def test_noise_alone_is_asked_for_its_whiteness(generator):
    clean = clean_image(generator)
    chain, degraded = degraded_by("noise(sigma=0.01..0.05, clip=False)", clean)
    scores = consistency(chain, clean[None], degraded[None])
    assert scores.keys() == {"noise_correlation"}
    assert scores["noise_correlation"] < 0.03


def test_blur_is_compared_with_the_kernel_that_was_drawn_and_its_noise_after_it(generator):
    clean = clean_image(generator)
    chain, degraded = degraded_by("blur(support=9) | noise(sigma=0.02, clip=False)", clean)
    kernel = chain.links[0].kernel_tensor()
    scores = consistency(chain, clean[None], degraded[None])
    assert torch.equal(scores["reblur_psnr"], reblur_psnr(clean[None], degraded[None], kernel))
    assert torch.equal(scores["noise_correlation"], noise_correlation(convolve(clean[None], kernel), degraded[None]))
    assert scores["reblur_psnr"].item() == pytest.approx(-20 * math.log10(0.02), abs=0.5)
    assert consistency(parse(chain.links[0].in_full()), clean[None], degraded[None]).keys() == {"reblur_psnr"}


@pytest.mark.parametrize("text", ["downscale(factor=2) | jpeg", "mosaic(layout='plane')", "jpeg | noise"])
def test_of_other_chains_there_is_none(text, generator):
    chain, _ = degraded_by(text, clean_image(generator))
    assert consistency(chain, torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)) == {}


def test_what_was_not_drawn_has_no_score():
    images = torch.rand(1, 3, 32, 32)
    for text, said in (("blur", "has no kernel yet"), ("jpeg(quality=20..40)", "has no value yet")):
        with pytest.raises(ValueError, match=said):
            consistency(parse(text), images, images)


ALL = {
    "noise": ["noise_correlation"],
    "downscale(factor=2) | noise": ["lr_psnr"],
    "blur | noise": ["reblur_psnr", "noise_correlation"],
    "mosaic": ["remosaic_error"],
    "jpeg(quality=10..50)": ["jpeg_cell_share"],
    "jpeg | noise": [],
}


@pytest.mark.parametrize(("text", "names"), ALL.items())
def test_the_names_are_there_before_anything_is_drawn(text, names):
    assert list(measures(parse(text))) == names
    assert all(name in METRICS for name in names)


def test_every_score_says_which_values_are_better(generator):
    """The clean image against one that is wrong everywhere."""
    clean = clean_image(generator)
    met = set()
    for text in ("noise(sigma=0.02, clip=False)", "downscale(factor=2)", "blur(support=5)", "mosaic(noise=0)", "jpeg"):
        chain, degraded = degraded_by(text, clean)
        right = consistency(chain, clean[None], degraded[None])
        wrong = consistency(chain, clean[None].flip(-1), degraded[None])
        for name, value in right.items():
            assert (value > wrong[name]).item() == (METRICS[name].better == "higher"), name
            met.add(name)
    assert met == METRICS.keys()


@pytest.mark.parametrize(("text", "name"), [("noise", "noise_correlation"), ("jpeg", "jpeg_cell_share")])
def test_images_below_the_least_side_are_refused_and_at_it_are_not(text, name, generator):
    least = MINIMUM_SIDE[name]
    for side in (least - 1, least):
        image = torch.rand(1, 3, side, 20, generator=generator)
        if side < least:
            with pytest.raises(ValueError, match=f"images of {side}x20"):
                consistency(parse(text), image, image)
        else:
            assert consistency(parse(text), image, image).keys() == {name}
