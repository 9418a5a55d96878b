"""Colours for drawn pictures: those of nature, any colour, or those of an image."""

import math

import numpy as np
import PIL.Image
import pytest
import torch
from scipy import stats

from pdloss.datasets.deadleaves import DeadLeaves
from pdloss.datasets.palettes import palette_colours
from pdloss.errors import ImageError
from tests.datasets.test_deadleaves import seeded


class TestColours:
    def test_of_nature_differ_less_within_a_picture_than_between_pictures(self):
        pictures = torch.stack([palette_colours("natural", 200, seeded(seed)) for seed in range(400)])
        assert pictures.min() >= 0 and pictures.max() <= 1
        within, between = pictures.var(1).mean(), pictures.mean(1).var(0).mean()
        # Twice the spread that means of 200 colours would have by chance is a hundredth of what it is.
        assert between > 20 * within / 200
        assert within > between

    def test_of_nature_are_those_of_photographs(self, images_folder):
        def histogram(colours):
            cells = (colours * 6).long().clamp(0, 5) @ torch.tensor([36, 6, 1])
            return torch.bincount(cells, minlength=216) / len(cells)

        paths = sorted((images_folder / "train").glob("*.jpg"))[::5]
        photographs = [np.asarray(PIL.Image.open(path).convert("RGB"))[::7, ::7].reshape(-1, 3) for path in paths]
        real = histogram(torch.from_numpy(np.concatenate(photographs)) / 255)
        ours = histogram(torch.cat([palette_colours("natural", 100, seeded(seed)) for seed in range(500)]))
        random = histogram(palette_colours("uniform", 50000, seeded()))
        # Total variation: 0 where the distributions are equal, 1 where they have nothing in common.
        assert (ours - real).abs().sum() / 2 < 0.15
        assert (random - real).abs().sum() / 2 > 0.6

    def test_of_a_uniform_palette_fill_the_cube(self):
        colours = palette_colours("uniform", 5000, seeded())
        for channel in colours.T:
            assert stats.kstest(channel.numpy(), "uniform").pvalue > 1e-3
        assert torch.corrcoef(colours.T).triu(1).abs().max() < 5 / math.sqrt(5000)

    def test_of_an_image_are_its_pixels_as_often_as_it_has_them(self, tmp_path):
        own = np.array([[10, 20, 30], [200, 0, 0], [0, 0, 255]], dtype=np.uint8)
        PIL.Image.fromarray(own[np.repeat([0, 1, 2], [50, 30, 20])].reshape(10, 10, 3)).save(tmp_path / "own.png")
        colours = (palette_colours(str(tmp_path / "own.png"), 3000, seeded()) * 255).round().to(torch.uint8)
        counts = [int((colours == torch.from_numpy(colour)).all(1).sum()) for colour in own]
        assert stats.chisquare(counts, [1500, 900, 600]).pvalue > 1e-3

    def test_of_an_image_that_is_none_are_refused_by_its_name(self, tmp_path):
        (tmp_path / "no.png").write_text("not an image")
        with pytest.raises(ImageError, match=r"no\.png: not an image"):
            DeadLeaves(size=16, palette=str(tmp_path / "no.png")).image(0)
