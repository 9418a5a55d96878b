"""Figures and tables as files for other documents."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from pdloss.report.scores import gap, score_table
from pdloss.report.sources import read_comparison
from tests.report.full_runs import INPUT, NAMES, SHARP, SMOOTH


@pytest.fixture(scope="module")
def folder(full_folder: Path) -> Path:
    """What is exported of two runs with everything."""
    return full_folder / "figures"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_chart_is_there_as_svg_and_png_and_every_table_as_latex_and_csv(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    charts = {
        "plane-lpips",
        "plane-kid",
        "difference-psnr",
        "difference-lpips",
        "training-0",
        "shares-1",
        "images-psnr",
    }
    assert {f"{name}.{kind}" for name in charts for kind in ("svg", "png")} <= names
    assert {"scores.csv", "scores.tex", "images.csv", "paper-1.csv", "paper-1.tex", "paper-2.csv"} <= names
    crops = [name for name in names if name.startswith("crops-")]
    assert len(crops) >= 12
    assert {Path(name).suffix for name in crops} == {".png", ".pdf", ".svg"}


def test_scores_are_written_in_full(folder: Path) -> None:
    rows = table(folder / "scores.csv")
    by_name = {(row["run"], row["metric"]): row for row in rows}
    found = read_comparison([folder.parent / "smooth", folder.parent / "sharp"])
    for row in score_table(found):
        for key, cell in zip(("psnr", "lpips", "fid", "kid"), row.cells, strict=True):
            if cell is None:
                assert (row.name, key) not in by_name
                continue
            line = by_name[row.name, key]
            assert float(line["mean"]) == cell.mean
            assert (float(line["low"]) if line["low"] else None) == cell.low
            assert line["best"] == ("yes" if cell.best else "")
    assert by_name["sharp", "fid"]["note"] == "unreliable: 8 images"


def test_every_image_is_written_for_every_run(folder: Path) -> None:
    rows = table(folder / "images.csv")
    assert len(rows) == 2 * len(NAMES)
    for name, scores in (("smooth", SMOOTH), ("sharp", SHARP)):
        assert [float(row["lpips"]) for row in rows if row["run"] == name] == scores["lpips"]


def test_the_latex_table_is_whole_with_the_rules_of_booktabs(folder: Path) -> None:
    text = (folder / "scores.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{tabular}{lrrrr}") == text.count(r"\end{tabular}") == 1
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1
    assert rf"\textbf{{{sum(SMOOTH['psnr']) / 8:.2f}}}" in text
    assert f"{sum(INPUT['psnr']) / 8:.2f}" in text
    assert "% PSNR: RGB, rounded to 8 bits" in text
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 7  # heads; input, two runs, each with its intervals
    assert {line.count(" & ") for line in body} == {4}


def test_words_are_escaped_and_latex_runs(folder: Path, tmp_path: Path) -> None:
    text = (folder / "paper-1.tex").read_text(encoding="utf-8")
    assert r"ours & l1 + pdl & 0.01 & 100 steps &" in text
    assert r"$-$" in text
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex on this machine")
    tables = "\n\n".join((folder / name).read_text("utf-8") for name in ("scores.tex", "paper-1.tex", "paper-2.tex"))
    (tmp_path / "all.tex").write_text(
        f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{tables}\\end{{document}}", "utf-8"
    )
    command = ["pdflatex", "-halt-on-error", "-interaction=batchmode", "all.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_what_keeps_the_papers_numbers_from_ours_goes_with_its_tables(folder: Path) -> None:
    page = (folder.parent / "my report" / "index.html").read_text("utf-8")
    said = [row["loss"] for row in table(folder / "paper-1.csv") if row["source"] == "differs"]
    text = (folder / "paper-1.tex").read_text("utf-8")
    assert said[0].startswith("Test images: the paper's are the 100 of DIV2K")
    assert len(said) == text.count(r"\item ") == page[page.index('class="unlike"') :].split("</ul>")[0].count("<li>")
    assert all(f"% {sentence}\n" in text for sentence in said)


def test_a_difference_of_the_page_can_be_found_again_from_the_files(folder: Path) -> None:
    rows = table(folder / "images.csv")
    psnr = {name: [float(row["psnr"]) for row in rows if row["run"] == name] for name in ("smooth", "sharp")}
    found = gap(read_comparison([folder.parent / "smooth", folder.parent / "sharp"]), "psnr", 1, 0)
    assert found.value == pytest.approx(sum(b - a for a, b in zip(psnr["smooth"], psnr["sharp"], strict=True)) / 8)
