"""How a rater goes about the page, and what can be seen there."""

import io
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from pdloss.study.folder import StudyFolder
from pdloss.study.records import Answer
from pdloss.study.serving import reading
from tests.study.studies_for_tests import SMALL, Running

if TYPE_CHECKING:
    from playwright.sync_api import Page

CROP = 128
TOTAL = 11
WIDE = {"width": 1280, "height": 720}
PROTOCOL = replace(SMALL, crop=CROP, questions=6, training=1)
SENT = "() => Object.values(localStorage).every((v) => !(JSON.parse(v).waiting ?? []).length)"
"""Whether the page has no answer left to send."""


def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium: none is on the PATH")
    return path


def press(page: "Page", name: str) -> None:
    page.get_by_role("button", name=name).click()


def enter(page: "Page") -> None:
    """Goes from the address to the first question, by mouse."""
    for name in ("I agree", "Continue", "Practise"):
        press(page, name)
    page.locator("section.question.visible").wait_for()
    page.get_by_label("Left picture").click()
    press(page, "Next")
    press(page, "Begin")


def wait_for_question(page: "Page", number: int, total: int = TOTAL) -> None:
    page.get_by_text(f"{number} of {total}", exact=True).wait_for()
    page.locator("section.question.visible:not(.told)").wait_for()


def answers(server: Running, before: set[str]) -> list[Answer]:
    """Returns the answers of raters other than those before."""
    store = reading.open_store(StudyFolder(server.study))
    try:
        return [a for a in reading.answers(store, StudyFolder(server.study).questions) if a.rater not in before]
    finally:
        store.close()


def raters(server: Running) -> set[str]:
    store = reading.open_store(StudyFolder(server.study))
    try:
        return {progress.rater for progress in reading.raters_progress(store)}
    finally:
        store.close()


def pixels(shot: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


def visible_crop(page: "Page", side: str, scale: float) -> np.ndarray:
    """Returns the screen's pixels where a picture is."""
    box = page.locator(f'[data-slot="{side}"]').bounding_box()
    assert box
    x, y = round(box["x"] * scale), round(box["y"] * scale)
    return pixels(page.screenshot())[y : y + CROP, x : x + CROP]


def no_scrolling(page: "Page") -> bool:
    within = """() => {
        const root = document.documentElement;
        const inside = (e) => {
            const b = e.getBoundingClientRect();
            return b.top >= 0 && b.left >= 0 && b.bottom < innerHeight + 1 && b.right < innerWidth + 1; // rounded
        };
        const all = [...document.querySelectorAll("section.question *")];
        return root.scrollHeight <= innerHeight && root.scrollWidth <= innerWidth && all.every(inside);
    }"""
    return bool(page.evaluate(within))
