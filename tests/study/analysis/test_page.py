"""The page says everything, trusts no name, needs nothing beside it, and holds in a real browser."""

import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pdloss.errors import MissingExtraError
from pdloss.study.analysis.page import matrix, page
from pdloss.study.analysis.result import Analysis, analyse
from pdloss.study.simulation.raters import Population, simulate
from tests.study.made_up import choices, made_up_design, metric_scores

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCORES = {"no perceptual loss": -0.6, "l1": -0.1, "<img src=x>": 0.2, "pdl": 0.5}
DESIGN = made_up_design(methods=SCORES, ties=True)


class Read(HTMLParser):
    """The tags of a page with their attributes, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data


@pytest.fixture(scope="module")
def full() -> Analysis:
    """An analysis with everything in it."""
    return analyse(
        simulate(DESIGN, Population(SCORES, tie=0.3), cheaters=3, seed=1),
        DESIGN.rules,
        methods=list(SCORES),
        title="Denoising & more",
        scores=metric_scores(
            {name: [score + i % 3 for i in range(20)] for name, score in SCORES.items()},
            sets={name: -score for name, score in SCORES.items()},
        ),
        targets={image.id: image.target for image in DESIGN.images},
        prior=0.5,
        resamples=200,
    )


def test_everything_is_on_the_page(full: Analysis) -> None:
    read = Read(page(full, "pdloss study analyse 'my study'"))
    ids = [attrs["id"] for tag, attrs in read.tags if tag == "section"]
    assert ids == ["preferences", "scores", "pairs", "raters", "coherence", "metrics", "method"]
    linked = [attrs["href"] for tag, attrs in read.tags if tag == "a"]
    assert linked == [f"#{name}" for name in ids]
    for text in (
        "Denoising & more",
        "People prefer pdl to ",
        "25 raters, 3 left out",
        "500 choices",
        "3 of 28 raters are left out, by the rules fixed in the design",
        "clicker-001",
        "0.5 wins were added on both sides",
        "a tie counting half",
        "Davidson",
        "PSNR",
        "FID",
        "pdloss study analyse 'my study'",
    ):
        assert text in read.words
    assert all(f"{one.share:.3f}" in read.words for one in full.preferences)


def test_every_drawing_has_words(full: Analysis) -> None:
    read = Read(page(full, ""))
    drawings = [attrs for tag, attrs in read.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(drawings) == 1 + 4 + 2  # scores, rules, metrics
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in drawings:
        assert {attrs["aria-labelledby"], attrs["aria-describedby"]} <= set(ids)


def test_names_are_never_markup_and_nothing_is_fetched(full: Analysis) -> None:
    html = page(full, "<script>")
    read = Read(html)
    assert not {"img", "script", "link", "iframe"} & {tag for tag, _ in read.tags}
    assert "&lt;img src=x&gt;" in html
    policy = next(attrs["content"] for tag, attrs in read.tags if attrs.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not [attrs for _, attrs in read.tags if attrs.get("src") or attrs.get("href", "#")[0] != "#"]


def test_the_matrix_is_for_the_row() -> None:
    votes = "\n".join(f"r{i} {i} a{'>' if i < 32 else '<'}b" for i in range(40))
    cells = matrix(analyse(choices(votes), methods=["a", "b", "new"], resamples=50))
    assert [[cell and cell.share for cell in row] for row in cells] == [
        [None, "0.80", None],
        ["0.20", None, None],
        [None, None, None],
    ]
    assert (cells[0][1].side, cells[1][0].side, cells[0][1].sure) == ("for", "against", True)
    assert cells[0][1].strength == cells[1][0].strength == 62


def test_what_there_is_not_is_left_out() -> None:
    read = Read(page(analyse(choices("x 1 a>b\ny 2 a>b"), resamples=50), ""))
    ids = [attrs["id"] for tag, attrs in read.tags if tag == "section"]
    assert ids == ["preferences", "pairs", "raters", "method"]
    assert "There are no scores: a never lost to b" in read.words
    assert "by the usual rules" in read.words


def test_a_missing_package_is_named(full: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pdloss\[study\]'"):
        page(full, "")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_browser_shows_it_without_complaint_on_every_screen(full: Analysis, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = tmp_path / "index.html"
    path.write_text(page(full, "pdloss study analyse study"), encoding="utf-8")
    problems, fetched, grounds = [], [], {}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((390, "light"), (1200, "light"), (1200, "dark")):
            tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab.on("console", lambda message: problems.append(message.text))
            tab.on("pageerror", lambda error: problems.append(str(error)))
            tab.on("request", lambda request: fetched.append(request.url))
            tab.goto(path.as_uri())
            tab.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            # Nothing drawn sticks out of the drawing, and no two labels of a row lie upon each other.
            assert tab.evaluate(OVERLAPS) == []
            grounds[scheme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            tab.close()
        browser.close()
    assert problems == []
    assert set(fetched) == {path.as_uri()}
    assert grounds["light"] != grounds["dark"]


OVERLAPS = """[...document.querySelectorAll('figure svg[role=img]')].flatMap((svg) => {
  const outer = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const out = boxes.filter(([, b]) => b.left < outer.left - 1 || b.right > outer.right + 1).map(([name]) => name);
  const upon = boxes.flatMap(([name, a], i) => boxes.slice(i + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
    .map(([other]) => `${name} / ${other}`));
  return [...out, ...upon];
})"""


def test_scores_are_told_as_they_are_drawn(full: Analysis) -> None:
    html = page(full, "")
    said = html[html.index('id="scores-desc">') :].partition("</desc>")[0]
    lowest = min(full.scales[0].scores, key=lambda one: one.score)
    assert f"{lowest.method} \N{MINUS SIGN}{-lowest.score:.2f}, " in said
