"""The page as a whole, read back with an HTML parser."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pdloss.errors import MissingExtraError, RunError, UserError
from pdloss.report import write_report
from pdloss.report.scores import gap
from pdloss.report.sources import read_comparison
from tests.report.folders import flat, write_log, write_pictures, write_run
from tests.report.full_runs import INPUT, NAMES, SHARP, SMOOTH
from tests.report.pages import Page

EN_DASH = "\N{EN DASH}"
THREE = {"psnr": [28.0, 29.5, 30.0], "lpips": [0.10, 0.12, 0.11]}


@pytest.fixture(scope="module")
def full(full_folder: Path) -> Path:
    """The page of two runs with everything, in ``my report`` beside their folders."""
    return full_folder / "my report" / "index.html"


@pytest.fixture(scope="module")
def page(full: Path) -> Page:
    """That page, read."""
    return Page(full)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two runs with scores alone."""
    return [write_run(tmp_path / n, s, INPUT, images=NAMES) for n, s in (("smooth", SMOOTH), ("sharp", SHARP))]


def test_nothing_is_fetched_and_nothing_lies_beside_the_page(full: Path, page: Page) -> None:
    assert full.name == "index.html"
    assert sorted(path.name for path in full.parent.iterdir()) == [".pdloss.jsonl", "index.html"]
    links = [v for _, attrs in page.tags for key, v in attrs.items() if key in ("src", "href", "srcset", "xlink:href")]
    assert links
    assert all(str(link).startswith(("data:image/", "#")) for link in links)
    assert not any(tag in ("link", "iframe", "object", "embed", "base") for tag, _ in page.tags)
    assert not re.search(r"https?:|@import|url\((?!#)", page.source)


def test_ids_are_unique_and_every_link_in_the_page_leads_somewhere(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) > 20
    assert len(ids) == len(set(ids))
    links = [str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"]
    assert links == ["scores", "plane", "crops", "training", "images", "runs", "paper", "protocol"]
    assert set(links) <= set(ids)


def test_every_chart_says_what_it_shows(page: Page) -> None:
    charts = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(charts) > 12
    tags = [tag for tag, _ in page.tags]
    assert tags.count("desc") == len(charts)
    assert all(attrs.get("aria-labelledby") and attrs.get("aria-describedby") for attrs in charts)


def test_the_table_holds_the_means_with_their_intervals_and_marks(full: Path, page: Page) -> None:
    folder = full.parent.parent
    table = page.tables[0]
    assert [row[0][1] for row in table[1:]] == ["degraded input", "smoothl1", "sharpl1 + 0.01·pdl"]
    for row, scores in zip(table[1:], (INPUT, SMOOTH, SHARP), strict=True):
        cells = [cell[0] for cell in row[1:3]]
        assert [float(c["data-value"] or "") for c in cells] == pytest.approx(
            [np.mean(scores["psnr"]), np.mean(scores["lpips"])]
        )
        assert all(
            float(c["data-low"] or "") < float(c["data-value"] or "") < float(c["data-high"] or "") for c in cells
        )
    assert [["best" in (cell[0]["class"] or "") for cell in row[1:3]] for row in table[1:]] == [
        [False, False],
        [True, False],
        [False, True],
    ]
    found = gap(read_comparison([folder / "smooth", folder / "sharp"]), "psnr", 1, 0)
    differences = page.tables[1]
    assert float(differences[1][2][0]["data-value"] or "") == pytest.approx(found.value)
    assert found.low is not None
    assert f"[\N{MINUS SIGN}{-found.low:.4f}" in differences[1][3][1]


def test_a_tie_is_marked(tmp_path: Path) -> None:
    near = {"psnr": [v + d for v, d in zip(SMOOTH["psnr"], (-1, 1, -1, 1, -1, 1, -1, 0.9), strict=True)]}
    folders = [write_run(tmp_path / n, s, images=NAMES) for n, s in (("a", {"psnr": SMOOTH["psnr"]}), ("b", near))]
    table = Page(write_report(folders, tmp_path / "out")).tables[0]
    assert [("best" in (r[1][0]["class"] or ""), "tied" in (r[1][0]["class"] or "")) for r in table[2:]] == [
        (True, False),
        (False, True),
    ]
    assert "≈" in table[3][1][1]


def test_doubtful_scores_of_the_set_carry_their_reason(page: Page) -> None:
    assert "* FID: unreliable: 8 images." in page.text
    fid, kid = page.tables[0][3][3], page.tables[0][3][4]
    assert "doubtful" in (fid[0]["class"] or "")
    assert "0.0150" in kid[1]
    assert "±" in kid[1]


def test_says_how_scores_were_measured_and_what_the_runs_are(page: Page) -> None:
    for words in (
        "PSNR dB ↑",
        "LPIPS ↓",
        "RGB, rounded to 8 bits",
        "version 0.1, AlexNet",
        "Inception, whole images",
        "l1 + 0.01*pdl",
        "edsr(blocks=1)",
        "1,234,567",
        "0123456789ab…, RGB in [0, 1]",
        "sharp (l1 + 0.01·pdl) has the lowest LPIPS",
        "8 images",
        "bootstrap over images",
    ):
        assert words in page.text


def test_shows_planes_curves_shares_crops_and_every_image(page: Page) -> None:
    captions = ("l1 value", "pdl value", "l1 norm", "pdl norm", "pdl its critic's own loss", "learning rate")
    words = page.text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    assert [c for c in captions if c in words] == list(captions)
    assert "Who pulls how hard" in page.text
    assert "LPIPS against PSNR" in page.text
    assert "KID against PSNR" in page.text
    assert "FID against PSNR" not in page.text  # unreliable, and KID is there
    assert "hypervolume" not in page.text  # between two runs there is no curve to measure
    assert page.count("article", "strip") >= 4
    assert page.count("figure", "tile") == 4 * page.count("article", "strip")
    assert "sharp is better in 8 of 8" in page.source
    assert "largest disagreement" in page.text
    assert [float(row[2][0]["data-value"] or "") for row in page.tables[2][1:]] == SMOOTH["psnr"]


def test_the_papers_table_is_there_only_when_asked_for(page: Page, runs: list[Path], tmp_path: Path) -> None:
    assert "Table II, denoising" in page.text
    assert "Table VIII" in page.text
    assert "260.61" in page.text
    assert "These numbers do not measure the same thing" in page.text
    assert "260.61" not in Page(write_report(runs, tmp_path / "out")).text


def test_validation_and_waiting_are_drawn_where_they_are_logged(runs: list[Path], tmp_path: Path) -> None:
    lines = [
        f'{{"step":{s},"seconds":{s}.0,"lr":1.0,"total":1.0,"terms":{{}},"gradients":{{}}{more}}}\n'
        for s, more in ((10, ""), (20, ',"waiting":0.25,"valid":{"psnr":27.5}'), (30, ',"waiting":0.1'))
    ]
    (runs[0] / "log.jsonl").write_text("".join(lines))
    text = Page(write_report(runs, tmp_path / "out")).text
    assert "psnr on the validation photographs" in text
    assert "waiting for data percent of the time" in text
    assert "12 %" in text  # the mean of 0, 25 and 10 percent, in the table of costs
    write_log(runs[0], ["l1"])
    without = Page(write_report(runs, tmp_path / "out")).text
    assert "waiting for data" not in without
    assert "validation photographs" not in without


def test_tells_how_to_make_the_page_again(full: Path, page: Page) -> None:
    folder = full.parent.parent
    expected = f"pdloss report {folder}/smooth {folder}/sharp --out '{folder}/my report' --set kodak --paper"
    assert f"{expected} --export {folder}/figures" in page.text
    assert f"numpy {np.__version__}" in page.text


def test_names_with_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    name = '<b>bold</b> & "co"'.replace("/", "\N{FRACTION SLASH}")
    folders = [
        write_run(tmp_path / name, THREE, loss="<script>alert(1)</script>"),
        write_run(tmp_path / "other", THREE),
    ]
    for folder in folders:
        write_log(folder, ["<i>term</i>"])
        write_pictures(folder, "restored", {"one.png": flat(1)})
    page = Page(write_report(folders, tmp_path / "out"))
    assert not any(tag == "i" and not attrs for tag, attrs in page.tags)
    assert page.source.count("<script>") == 1
    assert "<i>term</i>" in page.text
    assert page.tables[0][2][0][1].startswith(name)


def test_goes_on_without_pictures_logs_and_input_scores(tmp_path: Path) -> None:
    page = Page(write_report([write_run(tmp_path / name, THREE) for name in "ab"], tmp_path / "out"))
    assert page.count("article", "strip") == 0
    assert "Who pulls how hard" not in page.text
    assert "There are no crops: restored pictures are no longer beside the scores." in page.text
    assert [cell[1] for cell in page.tables[0][1][1:]] == [EN_DASH, EN_DASH]
    assert not any(tag in ("dialog", "script") for tag, _ in page.tags)


def test_one_run_on_one_image_makes_a_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"psnr": [30.0], "lpips": [0.1]}, {"psnr": [20.0]}, images=("one.png",))
    page = Page(write_report([run], tmp_path / "out"))
    assert (
        "a takes PSNR from 20.00 to 30.00\N{NO-BREAK SPACE}dB and LPIPS to 0.1000 on average over the one image."
        in (page.source)
    )
    assert "1 image " in page.text
    assert "1 run " in page.text
    assert "interval" not in page.text.lower()
    assert "★" not in page.text


def test_many_runs_make_a_page_of_bearable_size(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / f"run{i}", THREE, loss=f"l1 + 0.{i + 1}*pdl") for i in range(21)]
    for folder in folders:
        write_log(folder, ["l1", "pdl"], lines=100)
    out = write_report(folders, tmp_path / "out")
    assert out.stat().st_size < 5e6
    assert Page(out).text.count("run20") > 5


def test_of_more_than_two_runs_the_area_each_loss_wins_is_told(tmp_path: Path) -> None:
    losses = ["l1", "l1 + 0.01*pdl", "l1 + 0.1*perceptual"]
    folders = [write_run(tmp_path / f"run{i}", THREE, loss=loss) for i, loss in enumerate(losses)]
    assert "hypervolume" in Page(write_report(folders, tmp_path / "out")).text


def test_an_older_page_is_replaced(runs: list[Path], tmp_path: Path) -> None:
    write_report(runs[:1], tmp_path / "out")
    assert "2 runs" in Page(write_report(runs, tmp_path / "out")).text


def test_an_unwritable_folder_is_one_sentence(runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*: .*; choose another folder with --out"):
        write_report(runs, tmp_path / "file" / "out")
    with pytest.raises(UserError, match=r"cannot write .*: .*; choose another folder with --export"):
        write_report(runs, tmp_path / "out", export_to=tmp_path / "file" / "figures")
    (tmp_path / "out" / "index.html").mkdir(parents=True)
    with pytest.raises(UserError, match=r"index\.html is a folder; name a file, or choose another --out"):
        write_report(runs, tmp_path / "out")


def test_refuses_before_reading_when_runs_cannot_be_compared(runs: list[Path], tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", SHARP, INPUT, images=NAMES, degradation="blur")
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
        "pdloss.report.write_report([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]), "
        "export_to=Path(sys.argv[1]), paper=True); "
        "sys.exit(0 if lean and 'torch' not in sys.modules else 1)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "out"), *map(str, runs)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "index.html").is_file()
