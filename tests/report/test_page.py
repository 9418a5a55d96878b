"""The page as a whole, read back with an HTML parser."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pdloss.errors import MissingExtraError, RunError, UserError
from pdloss.report import write_report
from tests.report.folders import flat, write_log, write_picture, write_pictures, write_run

INPUT = {"psnr": [20.0, 21.0, 22.0], "lpips": [0.5, 0.6, 0.7]}
SMOOTH = {"psnr": [29.0, 30.0, 32.0], "lpips": [0.30, 0.28, 0.35]}
SHARP = {"psnr": [28.0, 29.5, 30.0], "lpips": [0.10, 0.12, 0.11]}
EN_DASH = "\N{EN DASH}"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page, checks that its tags match, and keeps what tests ask for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[tuple[dict[str, str | None], str]]]] = []
        self.words: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append((dict(attrs), ""))
        if tag == "span" and self.open[-2:] == ["td", "span"]:
            self.tables[-1][-1][-1][0].update({f"{dict(attrs)['class']} {k}": v for k, v in attrs})

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)
        if self.open and {"td", "th"} & set(self.open):
            attributes, text = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = attributes, text + data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def count(self, tag: str, cls: str) -> int:
        return sum(t == tag and cls in (attrs.get("class") or "").split() for t, attrs in self.tags)


def write_full_runs(folder: Path) -> list[Path]:
    """Writes two runs with everything: scores, logs, pictures, targets."""
    names = ("one.png", "two.png", "three.png")
    targets, folders = folder / "targets", []
    weights = {"vgg16": "0123456789abcdef" * 4 + ", RGB in [0, 1]"}
    for name, scores, level, loss in (("smooth", SMOOTH, 90, "l1"), ("sharp", SHARP, 120, "l1 + 0.01*pdl")):
        run = write_run(folder / name, scores, INPUT, targets=str(targets), loss=loss, weights=weights)
        write_log(run, ["l1"] if loss == "l1" else ["l1", "pdl"])
        for kind, pixels in (("restored", flat(level)), ("degraded", flat(50))):
            write_pictures(run, kind, dict.fromkeys(names, pixels))
        folders.append(run)
    for name in names:
        write_picture(targets / name, flat(100))
    return folders


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two runs with everything, in ``my report`` beside their folders."""
    folder = tmp_path_factory.mktemp("full")
    return write_report(write_full_runs(folder), folder / "my report")


@pytest.fixture(scope="module")
def page(full: Path) -> Page:
    """That page, read."""
    return Page(full)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two runs with scores alone."""
    return [write_run(tmp_path / "smooth", SMOOTH, INPUT), write_run(tmp_path / "sharp", SHARP, INPUT)]


def test_nothing_is_fetched_and_nothing_lies_beside_the_page(full: Path, page: Page) -> None:
    assert full.name == "index.html"
    assert list(full.parent.iterdir()) == [full]
    links = [v for _, attrs in page.tags for key, v in attrs.items() if key in ("src", "href", "srcset", "xlink:href")]
    assert links
    assert all(str(link).startswith(("data:image/", "#")) for link in links)
    assert not any(tag in ("link", "iframe", "object", "embed", "base") for tag, _ in page.tags)
    assert not re.search(r"https?:|@import|url\((?!#)", page.source)


def test_ids_are_unique(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) > 20
    assert len(ids) == len(set(ids))


def test_the_table_holds_the_means_and_paired_differences(page: Page) -> None:
    table = page.tables[0]
    assert [row[0][1] for row in table[1:]] == ["degraded input", "smooth", "sharp"]
    for row, scores in zip(table[1:], (INPUT, SMOOTH, SHARP), strict=True):
        assert [float(cell[0]["data-value"] or "") for cell in row[1:]] == pytest.approx(
            [np.mean(scores["psnr"]), np.mean(scores["lpips"])]
        )
    for (attributes, text), key in zip(table[3][1:], ("psnr", "lpips"), strict=True):
        differences = np.subtract(SHARP[key], SMOOTH[key])
        assert float(attributes["difference data-value"] or "") == pytest.approx(differences.mean())
        assert float(attributes["difference data-error"] or "") == pytest.approx(stats.sem(differences))
        assert "±" in text
    assert [["best" in (cell[0]["class"] or "") for cell in row[1:]] for row in table[1:]] == [
        [False, False],
        [True, False],
        [False, True],
    ]


def test_says_how_scores_were_measured_and_what_the_runs_are(page: Page) -> None:
    for words in (
        "PSNR dB ↑",
        "LPIPS ↓",
        "RGB, rounded to 8 bits",
        "version 0.1, AlexNet",
        "l1 + 0.01*pdl",
        "edsr(blocks=1)",
        "1,234,567 parameters",
        "vgg16 0123456789ab…, RGB in [0, 1]",
        "sharp has the lowest LPIPS",
        "3 images",
    ):
        assert words in page.text


def test_shows_trade_off_curves_crops_and_every_image(page: Page) -> None:
    captions = [w for w in ("l1 value", "pdl value", "l1 norm", "pdl norm", "learning rate") if w in page.text]
    assert len(captions) == 5
    assert page.count("figure", "figure") == 6
    assert page.count("article", "strip") == 3
    assert page.count("figure", "tile") == 12
    assert [tag for tag, _ in page.tags].count("details") == 2
    assert [float(row[2][0]["data-value"] or "") for row in page.tables[1][1:]] == SMOOTH["psnr"]
    assert "mean difference 30.0 of 255" in page.text
    assert (
        "degraded input PSNR 20.00 LPIPS 0.5000 smooth PSNR 29.00 LPIPS 0.3000 sharp PSNR 28.00 LPIPS 0.1000 target"
        in (page.text)
    )
    assert f"rows 0{EN_DASH}39, columns 0{EN_DASH}39" in page.text


def test_shows_how_critics_learned(runs: list[Path], tmp_path: Path) -> None:
    without = Page(write_report(runs, tmp_path / "without"))
    write_log(runs[0], ["l1", "adversarial"], critics=["adversarial"])
    page = Page(write_report(runs, tmp_path / "with"))
    assert re.search(r"adversarial\W+its critic.s own loss", page.text)
    assert "its critic" not in without.text


def test_tells_how_to_make_the_page_again(full: Path, page: Page) -> None:
    folder = full.parent.parent
    expected = f"pdloss report {folder}/smooth {folder}/sharp --out '{folder}/my report' --set kodak"
    assert expected in page.text
    assert f"numpy {np.__version__}" in page.text


def test_the_input_is_left_out_of_the_trade_off_only_when_it_dwarfs_it(
    page: Page, runs: list[Path], tmp_path: Path
) -> None:
    assert "The degraded input (PSNR 21.00 and LPIPS 0.6000) lies far outside" in page.text
    near = {"psnr": [28.0, 29.0, 31.0], "lpips": [0.4, 0.4, 0.4]}
    for folder, scores in zip(runs, (SMOOTH, SHARP), strict=True):
        write_run(folder, scores, near)
    nearer = Page(write_report(runs, tmp_path / "out"))
    assert "lies far outside" not in nearer.text
    assert any("degraded input" in (attrs.get("aria-label") or "") for _, attrs in nearer.tags)


def test_names_with_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    name = '<b>bold</b> & "co"'.replace("/", "\N{FRACTION SLASH}")
    folders = [
        write_run(tmp_path / name, SMOOTH, INPUT, loss="<script>alert(1)</script>"),
        write_run(tmp_path / "other", SHARP, INPUT),
    ]
    for folder in folders:
        write_log(folder, ["<i>term</i>"])
        write_pictures(folder, "restored", {"one.png": flat(1)})
    page = Page(write_report(folders, tmp_path / "out"))
    assert not any(tag == "i" and not attrs.get("class") and not attrs.get("style") for tag, attrs in page.tags)
    assert "alert(1)" in page.text
    assert "<i>term</i>" in page.text
    assert page.tables[0][2][0][1] == name


def test_goes_on_without_pictures_logs_and_input_scores(tmp_path: Path) -> None:
    page = Page(write_report([write_run(tmp_path / name, SHARP) for name in "ab"], tmp_path / "out"))
    assert page.count("article", "strip") == 0
    assert "Training" not in page.text
    assert "a keeps no restored pictures" in page.text
    assert [cell[1] for cell in page.tables[0][1][1:]] == [EN_DASH, EN_DASH]
    assert not any(tag == "dialog" for tag, _ in page.tags)


def test_one_run_on_one_image_makes_a_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"psnr": [30.0], "lpips": [0.1]}, {"psnr": [20.0]}, images=("one.png",))
    page = Page(write_report([run], tmp_path / "out"))
    assert (
        "a takes PSNR from 20.00 to 30.00\N{NO-BREAK SPACE}dB and LPIPS to 0.1000 on average over the one image."
        in (page.source)
    )
    assert "1 image " in page.text
    assert "1 run " in page.text
    assert "±" not in page.text


def test_an_older_page_is_replaced(runs: list[Path], tmp_path: Path) -> None:
    write_report(runs[:1], tmp_path / "out")
    assert "2 runs" in Page(write_report(runs, tmp_path / "out")).text


def test_an_unwritable_folder_is_one_sentence(runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*: .*; choose another folder with --out"):
        write_report(runs, tmp_path / "file" / "out")
    (tmp_path / "out" / "index.html").mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot write .*index\.html: .*; choose another folder with --out"):
        write_report(runs, tmp_path / "out")


def test_refuses_before_reading_when_runs_cannot_be_compared(runs: list[Path], tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", SHARP, INPUT, degradation="blur")
    with pytest.raises(RunError, match="different degradations"):
        write_report([*runs, other], tmp_path / "out")
    assert not (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("package", ["matplotlib", "jinja2"])
def test_a_missing_extra_is_named(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package} is not installed.*pip install 'pdloss\[report\]'"):
        write_report(runs, tmp_path / "out")


def test_a_page_is_made_without_torch(runs: list[Path], tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import pdloss.report; lean = 'matplotlib' not in sys.modules; "
        "pdloss.report.write_report([Path(p) for p in sys.argv[2:]], Path(sys.argv[1])); "
        "sys.exit(0 if lean and 'torch' not in sys.modules else 1)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "out"), *map(str, runs)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "index.html").is_file()
