"""What came of a sweep: the same numbers as compare and report, a recommendation, and what could not be had."""

import csv
from pathlib import Path

import pytest

from pdloss.comparison import compare, compare_matched
from pdloss.errors import MissingExtraError
from pdloss.report.paper_comparison import Lacking, PaperRows
from pdloss.sweeps import result
from pdloss.sweeps.result import sets_of, write_result
from tests.report.folders import PLACES, WEIGHTS, write_run


@pytest.fixture
def runs(tmp_path, monkeypatch):
    def no_page(*_, **__):
        raise MissingExtraError("jinja2", "report")

    monkeypatch.setattr(result, "write_report", no_page)  # tests/commands/test_reproduce.py has one
    return [
        write_run(tmp_path / name, {"psnr": [x - 1, x, x + 1], "lpips": [y, y, y]}, loss=WEIGHTS[name])
        for name, (x, y) in PLACES.items()
    ]


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_the_numbers_are_those_of_compare(runs, tmp_path):
    files, said = write_result(runs, tmp_path / "out", "kodak")
    assert {path.name for path in files} == {"result.md", "result.tex", "scores.csv", "matched.csv"}
    listed = [row for row in rows(tmp_path / "out" / "scores.csv") if row["kind"] == "mean"]
    means = {(row["name"], row["metric"]): row["value"] for row in listed}
    for mean in compare(runs, "kodak").means:
        assert float(means[mean.name, mean.metric]) == mean.value
    matched = {row["name"]: row["value"] for row in rows(tmp_path / "out" / "matched.csv") if row["kind"] == "mean"}
    for mean in compare_matched(runs, "psnr", "kodak").means:
        assert float(matched[mean.name]) == mean.value
    text = (tmp_path / "out" / "result.md").read_text(encoding="utf-8")
    assert "area with LPIPS" in text  # hypervolume
    assert "| l1 + pdl | 0.1 | 1 | 29.00" in text
    assert said[0].startswith("Recommended: l1 + pdl at 0.1")
    assert said[0] in text.replace("\\*", "*")
    assert said[-1].startswith("no page: ")
    assert r"\begin{tabular}" in (tmp_path / "out" / "result.tex").read_text(encoding="utf-8")


def test_the_same_again_replaces_its_own_files_and_nobody_elses(runs, tmp_path):
    write_result(runs, tmp_path / "out", "kodak")
    write_result(runs[:2], tmp_path / "out", "kodak")
    assert len({row["name"] for row in rows(tmp_path / "out" / "scores.csv")}) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "result.md").write_text("mine")
    with pytest.raises(Exception, match=r"result\.md"):
        write_result(runs, tmp_path / "other", "kodak")
    assert (tmp_path / "other" / "result.md").read_text() == "mine"


def test_where_losses_share_no_level_it_is_said_and_the_rest_is_written(runs, tmp_path):
    files, said = write_result(runs[:2], tmp_path / "out", "kodak")
    assert "matched.csv" not in {path.name for path in files}
    assert any(sentence.startswith("Losses are not compared at equal PSNR: ") for sentence in said)
    files, said = write_result(runs[:1], tmp_path / "one", "kodak")
    assert {path.name for path in files} == {"result.md", "result.tex"}


def test_the_papers_table_stands_first_with_the_rows_that_are_lacking(runs, tmp_path):
    paper = PaperRows("VIII", [Lacking("PDL", "PDL-w0.02: waiting, 3 of 9 steps trained")])
    write_result(runs, tmp_path / "out", "kodak", paper)
    text = (tmp_path / "out" / "result.md").read_text(encoding="utf-8")
    assert text.index("Table VIII, denoising, by kind of projection") < text.index("| loss | weight | seeds |")
    assert "PDL-w0.02: waiting, 3 of 9 steps trained" in text
    assert (tmp_path / "out" / "table-1.csv").exists()


def test_sets_have_the_names_that_evaluate_gives_them():
    assert sets_of({"data": ["photos/kodak24", "photos/set14"]}) == ["kodak24", "set14"]
    assert sets_of({"data": "photos/kodak24"}) == ["kodak24"]
    assert sets_of({"data": ["photos/kodak24"], "set": ["here"]}) == ["here"]
    assert sets_of({"data": str(Path("GOPRO/test/*/sharp"))}) != []
