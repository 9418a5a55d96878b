"""Figure 2's distances: the toy's in closed form, channels' against SciPy, a photograph's made of its own pixels."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import wasserstein_distance

from pdloss.errors import ImageError
from pdloss.probing import histograms
from pdloss.probing.histograms import TOY, distances, low_resolution, middle, seen, toy_distances


def test_kl_of_histograms_apart_is_what_the_floor_makes_it():
    floor, bins = 1e-3, 64
    shares = [count / 256 for count in TOY]
    there = sum((p + floor) * math.log((p + floor) / floor) for p in shares)
    here = sum(floor * math.log(floor / (p + floor)) for p in shares)
    row = toy_distances()[30]
    assert row.kl_higher == pytest.approx((there + here) / (1 + bins * floor), rel=1e-9)


def test_w1_of_channels_is_scipys(generator: torch.Generator):
    restored, target = torch.rand(2, 5, 300, generator=generator) * torch.arange(1.0, 6.0)[:, None]
    target[2] -= 2.5  # hardly ever above zero
    rows = distances(restored, target)
    assert [row.place for row in rows] == [0, 1, 3, 4]
    for row in rows:
        expected = wasserstein_distance(restored[row.place].numpy(), target[row.place].numpy())
        assert row.w1 == pytest.approx(expected, rel=1e-5)
        assert row.relative == pytest.approx(expected / target[row.place].numpy().std(ddof=1), rel=1e-5)


def test_low_resolution_is_pillows_there_and_back(generator: torch.Generator):
    image = torch.rand(3, 24, 32, generator=generator)
    picture = Image.fromarray((image * 255 + 0.5).floor().byte().permute(1, 2, 0).numpy())
    back = picture.resize((8, 6), Image.Resampling.BICUBIC).resize((32, 24), Image.Resampling.BICUBIC)
    assert np.array_equal((low_resolution(image, 4) * 255).round().byte().permute(1, 2, 0).numpy(), np.array(back))


def test_the_middle_is_square_and_divisible(generator: torch.Generator):
    image = torch.rand(3, 40, 70, generator=generator)
    assert torch.equal(middle(image), image[:, 4:36, 19:51])
    assert torch.equal(middle(image, 16), image[:, 12:28, 27:43])
    assert middle(image, 512).shape == (3, 32, 32)


def test_a_sharp_photograph_is_seen_unlike_its_low_resolution_and_a_flat_one_alike(generator: torch.Generator):
    sharp = seen("noise", torch.rand(3, 32, 32, generator=generator), "steerable.scale1", 4)
    assert min(row.w1 for row in sharp.rows) > 0
    assert sharp.chosen[0].distances.relative <= sharp.chosen[-1].distances.relative
    assert sharp.sharp.shape == (32, 32, 3)
    assert 0 <= sharp.overlap < 0.9


def test_where_no_channel_is_active_it_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(histograms, "ACTIVE", 1.1)
    with pytest.raises(
        ImageError, match="no channel of steerable.scale1 is above zero at 110% of the positions of dark"
    ):
        seen("dark", torch.zeros(3, 32, 32), "steerable.scale1", 4)
