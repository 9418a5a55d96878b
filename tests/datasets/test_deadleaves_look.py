"""How dead leaves look: colours, textures and blur."""

import math

import numpy as np
import PIL.Image
import pytest
import torch
from scipy import special, stats

from pdloss.datasets import deadleaves as module
from pdloss.datasets.deadleaves import DeadLeaves
from pdloss.ops.leaves import Leaves
from tests.datasets.test_deadleaves import seeded

SHAPES = ["disc", "rectangle"]


@pytest.fixture
def ink(tmp_path):
    """The path of an image that is half black and half white."""
    PIL.Image.fromarray(np.array([[0, 255]], dtype=np.uint8).repeat(3).reshape(1, 2, 3)).save(tmp_path / "ink.png")
    return str(tmp_path / "ink.png")


def second_shares(texture, seed=0, radius=60.0, side=64):
    """What one leaf that is seen everywhere takes of its second colour."""
    leaf = Leaves(*(np.array([value]) for value in (side // 2, side // 2, radius, 0.0, 0.0)))
    choice = DeadLeaves(texture=texture, contrast=1.0)
    return module._second_shares(choice, np.zeros((side, side), dtype=np.int64), leaf, seeded(seed)).double().numpy()


def second_shares_at_centres(choice):
    """What 4096 leaves, each seen at its own centre only, take of their second colours there."""
    labels = np.arange(4096).reshape(64, 64)
    rows, columns = np.indices((64, 64)).reshape(2, -1).astype(float)
    leaves = Leaves(rows, columns, np.full(4096, 30.0), rows * 0, rows * 0)
    return module._second_shares(choice, labels, leaves, seeded(5)).flatten().numpy()


class TestTextures:
    def test_none_leaves_each_leaf_one_colour_and_edges_are_averaged_over_four_samples(self, ink):
        plain = DeadLeaves(size=64, palette=ink, texture="none", blur=0.0).image(0)
        levels, counts = plain.unique(return_counts=True)
        assert levels.tolist() == [0, 64, 128, 191, 255]
        assert counts[[0, -1]].sum() > counts[1:-1].sum()

    def test_no_contrast_is_no_texture(self):
        flat = DeadLeaves(size=48, contrast=0.0)
        assert torch.equal(flat.image(0), DeadLeaves(size=48, texture="none").image(0))
        assert not torch.equal(flat.image(0), DeadLeaves(size=48).image(0))

    def test_blend_the_leaf_s_two_colours_by_their_share(self, monkeypatch, ink):
        monkeypatch.setattr(module, "_second_shares", lambda _, labels, *__: torch.full(labels.shape, 0.2))
        choice = DeadLeaves(size=64, smallest=30.0, largest=30.0, palette=ink, blur=0.0)
        levels, counts = torch.stack([choice.image(0), choice.image(3)]).unique(return_counts=True)
        inside = {int(level) for level, count in zip(levels, counts, strict=True) if count > 300}
        assert inside == {0, 51, 204, 255}  # a fifth of the way between black and white

    def test_strengths_are_uniform_up_to_the_contrast(self):
        # A gradient is half way at the leaf's centre.
        strengths = 2 * second_shares_at_centres(DeadLeaves(texture="gradient", contrast=0.3))
        assert stats.kstest(strengths, stats.uniform(0, 0.3).cdf).pvalue > 1e-3

    def test_mixed_are_of_all_kinds_as_often(self):
        shares = second_shares_at_centres(DeadLeaves(texture="mixed", contrast=0.3))
        assert stats.binomtest(int((shares == 0).sum()), 4096, 1 / 4).pvalue > 1e-3
        # Of one draw of the generator, the leaves with gradients are those where gradients alone give the same.
        gradients = second_shares_at_centres(DeadLeaves(texture="gradient", contrast=0.3))
        assert stats.binomtest(int((shares == gradients).sum()), 4096, 1 / 4).pvalue > 1e-3
        waves = second_shares_at_centres(DeadLeaves(texture="waves", contrast=0.3))
        assert stats.binomtest(int((shares == waves).sum()), 4096, 1 / 4).pvalue > 1e-3

    @pytest.mark.parametrize("seed", range(4))
    def test_gradients_are_planes_that_reach_the_second_colour_at_the_rim(self, seed):
        shares = second_shares("gradient", seed)
        middle = shares[32, 32]
        down, right = shares[33, 32] - middle, shares[32, 33] - middle
        rows, columns = np.indices(shares.shape) - 32
        np.testing.assert_allclose(shares, middle + down * rows + right * columns, atol=1e-5)
        assert math.hypot(down, right) * 60 == pytest.approx(middle, rel=1e-3)

    @pytest.mark.parametrize("seed", range(6))
    def test_waves_have_one_frequency_no_shorter_than_four_pixels(self, seed):
        shares = second_shares("waves", seed, side=128)
        window = np.hanning(128)[:, None] * np.hanning(128)
        power = abs(np.fft.fft2((shares - np.average(shares, weights=window)) * window, s=(512, 512))) ** 2
        frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(512)] * 2))
        peak = frequency.flat[power.argmax()]
        assert power[abs(frequency - peak) < 2.5 / 128].sum() > 0.99 * power.sum()
        assert 1 / 60 - 1 / 128 < peak < 1 / 8 + 1 / 512  # from the radius down to eight samples

    @pytest.mark.parametrize("seed", range(6))
    def test_noise_is_coloured_between_the_two_colours(self, seed):
        shares = second_shares("noise", seed, side=128)
        assert shares.min() >= 0
        # Mean 1/2 and deviation 1/4 of its strength, which the clipping at two deviations makes a little less.
        assert 0.43 < shares.std() / shares.mean() < 0.52
        power = abs(np.fft.fft2(shares - shares.mean())) ** 2
        frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(128)] * 2))
        rings = [(frequency >= low) & (frequency < 1.5 * low) for low in (0.03, 0.06, 0.12, 0.24)]
        points = [(np.log(frequency[ring]).mean(), np.log(power[ring].mean())) for ring in rings]
        assert -3.2 < np.polyfit(*np.transpose(points), 1)[0] < -0.8  # its amplitude falls with a power of 0.5 to 1.5

    def test_noise_is_not_the_same_on_two_leaves(self):
        labels = np.repeat([[0, 1]], 32, axis=0).repeat(16, axis=1)
        leaves = Leaves(*(np.full(2, value) for value in (16.0, 16.0, 30.0, 0.0, 0.0)))
        shares = module._second_shares(DeadLeaves(texture="noise"), labels, leaves, seeded(6)).numpy()
        assert abs(np.corrcoef(shares[:, :16].ravel(), shares[:, 16:].ravel())[0, 1]) < 0.5


class TestBlur:
    @pytest.mark.parametrize("blur", [0.5, 1.5])
    def test_of_an_edge_is_the_normal_distribution(self, monkeypatch, ink, blur):
        def edge(side, *_):
            labels = np.zeros((side, side), dtype=np.int64)
            labels[:, side // 2 :] = 1
            return labels, Leaves(*(np.ones(2) for _ in range(5)))

        monkeypatch.setattr(module, "partition", edge)
        options = {"size": 32, "palette": ink, "texture": "none", "images": 20}
        pictures = [DeadLeaves(blur=blur, **options).image(index) for index in range(20)]
        picture = next(picture for picture in pictures if picture.min() == 0 and picture.max() == 255) / 255.0
        assert torch.equal(picture, picture[:1, :1].expand_as(picture))  # to the border: nothing is invented there
        profile = picture[0, 0] if picture[0, 0, 0] == 0 else 1 - picture[0, 0]
        # Samples of a Gaussian, one per pixel, cut at three deviations: near its integral, not equal to it.
        expected = special.ndtr((np.arange(32) - 15.5) / blur)
        np.testing.assert_allclose(profile, expected, atol=0.02 if blur > 1 else 0.06)
