"""Pictures of runs: cut where another shows the same, and written into the page with every pixel."""

import base64
import io

import numpy as np
from PIL import Image

from pdloss.report.pictures import Window, cut, png, thumbnail


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_every_pixel_is_kept_in_the_page() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    assert png(picture).startswith("data:image/png;base64,")
    assert np.array_equal(np.asarray(opened(png(picture))), picture)


def test_the_small_one_keeps_the_shape_within_240_pixels() -> None:
    assert opened(thumbnail(np.zeros((480, 960, 3), dtype=np.uint8))).size == (240, 120)


def test_a_window_shows_the_same_place_of_a_smaller_picture() -> None:
    whole = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    window = Window(top=2, left=4, height=4, width=6)
    assert np.array_equal(cut(whole, window, whole), whole[2:6, 4:10])
    assert np.array_equal(cut(whole[::2, ::2], window, whole), whole[2:6:2, 4:10:2])
    assert cut(whole[:1, :1], window, whole).shape == (1, 1, 3)  # never nothing
