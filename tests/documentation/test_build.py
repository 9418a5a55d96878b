"""The site: built without a warning, and looked at in a browser: both schemes, a phone, its search, nothing fetched."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("material")
pytest.importorskip("latex2mathml")

from documentation.build import Options, main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = ("index.html", "training.html", "reference/losses.html", "reference/metrics.html", "tutorials/loss.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built strictly: a link or a heading that leads nowhere would have ended it."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISABLE_MKDOCS_2_WARNING", "true")
        assert main(Options(out=folder, run=False)) == 0
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.filterwarnings("ignore")  # of MkDocs about its parts
def test_nothing_of_it_lies_elsewhere(site: Path) -> None:
    for page in PAGES:
        text = (site / page).read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert 'rel="stylesheet" href="http' not in text
    assert "<math" in (site / "reference" / "losses.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_phone_in_both_schemes(site: Path, browser: Any, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page, fetched, problems = context.new_page(), [], []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    brightness = []
    for name in PAGES:
        page.goto((site / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness.append(sum(float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]) / 3)
    context.close()
    assert all(value > 200 for value in brightness) if scheme == "light" else all(value < 80 for value in brightness)
    assert problems == []
    assert [url for url in fetched if not url.startswith(("file:", "data:", "blob:"))] == []


def test_its_search_finds_a_loss(site: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((site / "index.html").as_uri())
    page.locator(".md-search__input").fill("wasserstein")
    page.locator(".md-search-result__link").first.wait_for(timeout=20_000)
    assert "wasserstein" in page.locator(".md-search-result__list").inner_text().lower()
    page.close()
