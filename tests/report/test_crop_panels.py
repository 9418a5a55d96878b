"""Crops side by side as one picture: the pixels in it are those of the files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import RunError
from pdloss.report.crop_panels import crop_panel, save_panel
from pdloss.report.pictures import Window
from pdloss.report.sources import Comparison, read_comparison
from tests.report.full_runs import NAMES, textured


@pytest.fixture(scope="module")
def comparison(full_folder: Path) -> Comparison:
    return read_comparison([full_folder / "smooth", full_folder / "sharp"])


@pytest.mark.parametrize("zoom", [1, 3])
def test_every_pixel_of_a_crop_is_a_block_of_the_panel(comparison: Comparison, tmp_path: Path, zoom: int) -> None:
    window = Window(60, 100, 20, 32)
    shown = crop_panel(comparison, "2", window)
    assert [tile.label for tile in shown] == ["degraded input", "smooth", "sharp", "target"]
    paths = save_panel(shown, tmp_path / "panel", side=(20, 32), zoom=zoom, columns=2)
    with Image.open(paths[0]) as image:
        panel = np.asarray(image.convert("RGB"))
    pieces = (textured(90, 9), textured(110, 3), textured(110, 4), textured(120, 5))
    for place, picture in enumerate(pieces):
        crop = picture[60:80, 100:132].repeat(zoom, axis=0).repeat(zoom, axis=1)
        row, column = divmod(place, 2)
        # By the stated measure: eight pixels between crops, thirty-four above each for two lines of words.
        top, left = 8 + row * (20 * zoom + 42) + 34, 8 + column * (32 * zoom + 8)
        np.testing.assert_array_equal(panel[top : top + 20 * zoom, left : left + 32 * zoom], crop)
    assert panel.shape[:2] == (8 + 2 * (20 * zoom + 42), 8 + 2 * (32 * zoom + 8))


def test_a_smaller_input_is_drawn_in_larger_pixels(comparison: Comparison, tmp_path: Path) -> None:
    shown = crop_panel(comparison, "2.png", Window(0, 0, 16, 16))
    small = [type(tile)(tile.label, tile.below, tile.picture[::4, ::4]) for tile in shown]
    panel = save_panel(small[:1], tmp_path / "panel.png", side=(16, 16), zoom=1)[0]
    with Image.open(panel) as image:
        block = np.asarray(image.convert("RGB"))[42:58, 8:24]
    np.testing.assert_array_equal(block, textured(90, 9)[:16:4, :16:4].repeat(4, axis=0).repeat(4, axis=1))


def test_three_kinds_of_files_are_written_whatever_the_suffix(comparison: Comparison, tmp_path: Path) -> None:
    shown = crop_panel(comparison, NAMES[0], Window(0, 0, 16, 16))
    for out in ("a.pdf", "a", "b.v2"):
        paths = save_panel(shown, tmp_path / out, side=(16, 16))
        assert [p.name for p in paths] == [f"{out.removesuffix('.pdf')}.{kind}" for kind in ("png", "pdf", "svg")]
        assert [p.read_bytes()[:4] for p in paths] == [b"\x89PNG", b"%PDF", b"<?xm"]


def test_scores_of_the_whole_picture_stand_above_each_crop(comparison: Comparison) -> None:
    degraded, smooth, _, target = crop_panel(comparison, NAMES[0], Window(0, 0, 16, 16))
    assert degraded.below == "PSNR 20.00  LPIPS 0.5000"
    assert smooth.below == "PSNR 29.00  LPIPS 0.3000"
    assert target.below == ""


@pytest.mark.parametrize(
    "window", [Window(140, 0, 20, 20), Window(0, 200, 20, 20), Window(0, 0, 0, 20), Window(-1, 0, 9, 9)]
)
def test_a_box_outside_the_picture_is_refused(comparison: Comparison, window: Window) -> None:
    with pytest.raises(RunError, match=r"leaves 0\.png, which has 210 x 150 pixels"):
        crop_panel(comparison, "0.png", window)
