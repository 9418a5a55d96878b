"""A browser and a study served, for the tests of the page."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.study.pages_for_tests import PROTOCOL, WIDE, chromium
from tests.study.studies_for_tests import Running, make_study, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    path = chromium()
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(make_study(tmp_path_factory.mktemp("browser"), PROTOCOL, images=6, size=(160, 140))) as server:
        yield server


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., "Page"]]:
    """Opens an address as a person who was never there; complains of everything that the page's console says."""
    contexts, complaints = [], []

    def visit(address: str, **options: Any) -> "Page":
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: m.type == "error" and not expected(m.text) and complaints.append(m.text))
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def expected(text: str) -> bool:
    """Returns whether Chromium only says what the test did: cut the connection, damage a picture, be refused."""
    if re.fullmatch(r"Fetch API cannot load \S+\.\s*", text):  # no reason: a picture on its way when the server ended
        return True
    return any(
        word in text
        for word in (
            "ERR_",
            "status of 423",
            "status of 401",
            "status of 410",
            "status of 429",
            "status of 503",
            "integrity",
        )
    )
