"""Tiles of every network against the whole picture, and what their seams tell."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdloss.restoration.reach import Reach, measured_reach
from pdloss.restoration.tiles import SEAM, restore_tiles, spans, tiling
from tests.restoration.networks_for_tests import LOCAL, Box, built

HEIGHT, WIDTH = 150, 207


def tiled(network: torch.nn.Module, image: torch.Tensor, tile: int, reach: Reach, batch: int = 1) -> tuple:
    height, width = image.shape[-2:]
    made = torch.full((3, height * reach.scale, width * reach.scale), torch.nan)

    def keep(top: int, rows: torch.Tensor) -> None:
        assert made[:, top : top + rows.shape[1]].isnan().all(), "every row is given once"
        made[:, top : top + rows.shape[1]] = rows

    with torch.no_grad():
        cut = tiling(height, width, tile, reach)
        apart = restore_tiles(cut, lambda r, c: image[:, r, c], network, keep, batch)
    return made, apart, cut.tiles


@pytest.mark.parametrize("text", LOCAL)
def test_tiles_are_the_whole_picture_within_one_grey_level_at_every_pixel(text: str) -> None:
    network = built(text, gain=0.5 if text.startswith("srn") else 1.0)
    image = torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        whole = network(image[None])[0].clamp(0, 1)
    assert whole.std() > 0.01
    made, apart, count = tiled(network, image, 48, measured_reach(network), batch=3)
    assert count >= 12
    assert (made.clamp(0, 1) - whole).abs().max() <= 1 / 255
    assert apart <= 0.5 / 255


def test_too_little_overlap_shows_at_the_seams() -> None:
    image = torch.rand(3, 100, 100, generator=torch.Generator().manual_seed(4))
    enough, apart, _ = tiled(Box(20), image, 40, Reach(1, 1, 20, False))
    torch.testing.assert_close(enough, Box(20)(image[None])[0])
    assert apart < 1e-5
    _, apart, _ = tiled(Box(20), image, 40, Reach(1, 1, 4, False))
    assert apart > 0.5 / 255


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 700), st.integers(16, 200), st.integers(1, 16), st.integers(0, 60))
def test_tiles_cover_the_picture_once_and_see_what_they_must(length: int, tile: int, grid: int, pixels: int) -> None:
    found = spans(length, tile, Reach(1, grid, pixels, False))
    assert found[0].start == 0 and found[-1].stop == length
    assert [one.stop for one in found[:-1]] == [one.start for one in found[1:]]
    for span in found:
        assert span.low % grid == 0
        assert span.low <= max(0, span.start - pixels - SEAM) and span.high >= min(length, span.stop + pixels + SEAM)
        assert len(found) == 1 or span.stop - span.start >= 2 * SEAM


def test_a_batch_of_tiles_makes_what_one_at_a_time_makes() -> None:
    image = torch.rand(3, 90, 170, generator=torch.Generator().manual_seed(6))
    one, _, _ = tiled(Box(3), image, 32, Reach(1, 1, 3, False))
    many, _, _ = tiled(Box(3), image, 32, Reach(1, 1, 3, False), batch=4)
    assert torch.equal(one, many)


def test_no_window_is_larger_than_a_tile_with_its_overlap_whatever_the_picture() -> None:
    seen: list[tuple[int, int]] = []

    class Watched(Box):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append((x.shape[-2], x.shape[-1]))
            return super().forward(x)

    for height, width in ((400, 30), (61, 500), (129, 131)):
        tiled(Watched(3), torch.zeros(3, height, width), 40, Reach(1, 2, 6, False))
    assert max(max(size) for size in seen) <= 40 + 2 * (6 + SEAM) + 2 * 2 * SEAM + 2
    assert len(seen) > 40
