"""The page in a real browser: no complaint, nothing fetched, nothing too wide, and crops that can be compared."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pdloss.records import Metric
from pdloss.report import write_report
from tests.report.folders import write_run

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def report(full_folder: Path) -> Path:
    """A page with everything in it."""
    return full_folder / "my report" / "index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that has been opened, and what went wrong or was fetched meanwhile."""

    def __init__(self, browser: Any, report: Path, width: int = 1280, **options: str) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.fetched: list[str] = []
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.fetched.append(request.url))
        self.page.goto(report.as_uri())

    def pixels(self, selector: str) -> np.ndarray:
        """What an element looks like."""
        shot = self.page.locator(selector).first.screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def background(self) -> str:
        return str(self.page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Any]:
    """Opens the page, and in the end looks whether the browser complained."""
    visits: list[Visit] = []

    def opened(**options: Any) -> Visit:
        visits.append(Visit(browser, report, **options))
        return visits[-1]

    yield opened
    for each in visits:
        each.context.close()
        assert each.problems == []
        assert all(url.startswith(("file:", "data:")) for url in each.fetched)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (768, "light"), (1280, "dark")])
def test_nothing_is_wider_than_the_screen(visit: Any, width: int, scheme: str) -> None:
    page = visit(width=width, color_scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Tables scroll inside their own boxes; names are never squeezed to a letter a line.
    narrow = "[...document.querySelectorAll('tbody th')].filter((c) => c.offsetHeight > 3 * c.offsetWidth).length"
    assert page.evaluate(narrow) == 0


def test_a_table_of_many_metrics_fits_a_desktop(browser: Any, tmp_path: Path) -> None:
    names = ("PSNR", "MS-SSIM", "LPIPS", "NIQE", "Sharpness", "JPEG cells", "FID-768", "KID-768")
    units = {"PSNR": "dB", "Sharpness": "octaves"}
    metrics = {name: Metric(label=name, unit=units.get(name, ""), better="zero", protocol="") for name in names}
    values = [{name: [-0.4321 * i, -0.5321, -0.6321] for name in names} for i in (1, 2)]
    runs = [write_run(tmp_path / f"run {i}", value, values[0], metrics=metrics) for i, value in enumerate(values)]
    visit = Visit(browser, write_report(runs, tmp_path / "page"), width=1200)
    box = "document.querySelector('#scores .scroll')"
    assert visit.page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") == 0
    tall = "[...document.querySelectorAll('.scores td')].filter((c) => c.offsetHeight > 80).length"
    assert visit.page.evaluate(tall) == 0  # a mean and its interval, in two lines at most
    visit.context.close()


@pytest.mark.parametrize("name", ["denoise-first", "five-tasks/jpeg"])
def test_the_committed_experiments_make_a_page_without_a_fault(browser: Any, tmp_path: Path, name: str) -> None:
    runs = sorted(file.parent for file in (EXPERIMENTS / name).glob("*/config.json"))
    if not runs:
        pytest.skip("needs the experiments of the repository")
    page = write_report([run for run in runs if not run.name.startswith("on-")], tmp_path)
    visit = Visit(browser, page, width=390)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    assert visit.page.locator("#plane svg").first.is_visible()
    assert visit.problems == []
    visit.context.close()


def test_the_colours_follow_the_system_unless_the_reader_chooses(visit: Any) -> None:
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    colours = light.background(), dark.background()
    assert colours[0] != colours[1]
    light.page.get_by_text("Dark", exact=True).click()
    dark.page.get_by_text("Light", exact=True).click()
    assert (light.background(), dark.background()) == colours[::-1]
    dark.page.keyboard.press("ArrowLeft")  # back to Auto
    assert dark.background() == colours[1]


def test_charts_change_their_colours_with_the_page(visit: Any) -> None:
    light, dark = (visit(color_scheme=scheme).pixels("#plane svg") for scheme in ("light", "dark"))
    assert light.mean() > 200
    assert dark.mean() < 60


def test_crops_are_shown_pixel_by_pixel(visit: Any) -> None:
    page = visit().page
    image = page.locator(".tile img").first
    box = image.bounding_box()
    assert (box["width"], box["height"]) == (224, 224)
    assert image.evaluate("(e) => [e.naturalWidth, getComputedStyle(e).imageRendering]") == [112, "pixelated"]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_loupe_shows_whole_multiples_of_the_pixels(visit: Any, width: int) -> None:
    page = visit(width=width).page
    page.locator("[data-open]").first.click()
    box = page.locator(".stage").bounding_box()
    assert box["width"] % 112 == 0
    assert 112 <= box["width"] <= width - 32
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_divide_moves_with_keys_and_pointer(visit: Any) -> None:
    opened = visit(reduced_motion="reduce")
    page = opened.page
    page.locator("[data-open]").first.click()
    page.locator(".loupe .divide input").focus()  # the keyboard is there already
    page.keyboard.press("End")
    left = opened.pixels(".stage")
    page.keyboard.press("Home")
    right = opened.pixels(".stage")
    assert np.abs(left - right).mean() > 1
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    half = opened.pixels(".stage")
    middle = left.shape[1] // 2
    np.testing.assert_array_equal(half[:, : middle - 8], left[:, : middle - 8])
    np.testing.assert_array_equal(half[:, middle + 8 :], right[:, middle + 8 :])
    box = page.locator(".stage").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
    assert page.locator(".loupe .divide input").input_value() == "75"
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_flicker_changes_between_both_until_it_is_stopped(visit: Any) -> None:
    page = visit(reduced_motion="no-preference").page
    page.locator("[data-open]").first.click()
    shown = page.locator(".loupe .now")
    assert shown.inner_text() == "smooth | target"
    page.keyboard.press("f")
    button = page.get_by_role("button", name="Flicker")
    assert button.get_attribute("aria-pressed") == "true"
    for name in ("target", "smooth", "target"):
        sync_api.expect(shown).to_have_text(name)
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    sync_api.expect(shown).to_have_text("smooth | target")


def test_flicker_never_moves_by_itself_for_those_who_asked_for_calm(visit: Any) -> None:
    page = visit(reduced_motion="reduce").page
    page.locator("[data-open]").first.click()
    shown = page.locator(".loupe .now")
    button = page.get_by_role("button", name="Flicker")
    for name in ("target", "smooth"):
        button.click()
        assert shown.inner_text() == name
        assert button.get_attribute("aria-pressed") == "false"
    page.locator(".loupe .divide input").focus()
    page.keyboard.press("Space")
    assert shown.inner_text() == "target"


def test_any_two_crops_can_be_chosen(visit: Any) -> None:
    page = visit().page
    page.get_by_role("button", name="compare sharp in place").first.click()
    assert page.locator(".loupe .now").inner_text() == "sharp | target"
    page.get_by_role("combobox", name="right").select_option(label="degraded input")
    assert page.locator(".loupe .now").inner_text() == "sharp | degraded input"
    page.get_by_role("button", name="close").click()
    assert not page.locator("dialog").is_visible()


def test_without_scripts_the_page_shows_everything_but_the_loupe(visit: Any) -> None:
    page = visit(java_script_enabled=False).page
    assert page.locator(".tile img").first.is_visible()
    assert not page.locator("[data-open]").first.is_visible()
    page.locator("summary").first.click()
    assert page.locator("details[open]").count() >= 1
