"""The page of pictures before and after."""

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from pdloss.picture_files.originals import Original
from pdloss.restoration.page import ComparisonPage


def pictures_in(page: Path) -> list[Image.Image]:
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', page.read_text(encoding="utf-8"))
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in found]


def test_the_page_holds_both_pictures_and_asks_nothing_of_other_files(tmp_path: Path) -> None:
    before, after = np.full((30, 40, 3), 10, np.uint8), np.full((60, 80, 3), 200, np.uint8)
    page = ComparisonPage()
    page('<b>"name".png', Original(before), Original(after))
    page.write(tmp_path / "page.html")
    one, other = pictures_in(tmp_path / "page.html")
    assert one.size == other.size == (80, 60)
    assert (np.asarray(one) == 10).all() and (np.asarray(other) == 200).all()
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;&quot;name&quot;.png" in text and "<b>" not in text
    assert not re.search(r'(src|href)="(?!data:)', text) and "http" not in text
    assert "prefers-color-scheme: dark" in text and "flicker" in text


def test_of_a_large_picture_the_square_that_changed_most_is_shown_at_its_own_pixels(tmp_path: Path) -> None:
    before = np.full((1000, 2000), 40_000, np.uint16)
    after = before.copy()
    after[600:800, 1500:1700] = 20_000
    page = ComparisonPage()
    page("large.png", Original(before), Original(after))
    page.write(tmp_path / "page.html")
    whole, _, there, here = pictures_in(tmp_path / "page.html")
    assert whole.size == (960, 480) and here.size == (360, 360)
    assert there.convert("L").getextrema() == (156, 156)
    changed = np.asarray(here.convert("L")) < 100
    assert changed.sum() == 200 * 200
