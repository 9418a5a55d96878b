"""The page before and after, in a real browser: it fits a phone and a desk, slides, flickers and fetches nothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pdloss.picture_files.originals import Original
from pdloss.restoration.page import ComparisonPage

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
SHARE = "document.querySelector('.pair').style.getPropertyValue('--share')"


def test_it_slides_and_flickers_on_a_phone_and_a_desk(tmp_path: Path) -> None:
    page = ComparisonPage()
    values = np.random.default_rng(0).integers(0, 256, (500, 1200, 3), np.uint8)
    page("a-picture-with-quite-a-long-name-from-a-camera-20241130_170455.jpg", Original(values), Original(255 - values))
    page.write(tmp_path / "page.html")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        grounds = []
        for width, scheme in ((390, "dark"), (1200, "light")):
            tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            problems: list[str] = []
            tab.on("pageerror", lambda error, problems=problems: problems.append(str(error)))
            tab.on(
                "request", lambda ask, problems=problems: problems.append(ask.url) if "http" in ask.url[:5] else None
            )
            tab.goto((tmp_path / "page.html").as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            tab.locator("input").first.fill("20")
            assert tab.evaluate(SHARE) == "20%"
            box = tab.locator(".pair").first.bounding_box()
            tab.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
            assert tab.evaluate(SHARE) == "75%"
            tab.locator("button").first.click()
            assert tab.evaluate(SHARE) in ("0%", "100%")
            tab.locator("button").first.click()
            assert tab.evaluate(SHARE) == "75%" and problems == []
            grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            tab.close()
        browser.close()
    assert grounds[0] != grounds[1]
