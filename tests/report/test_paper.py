"""The paper's numbers, against sums made of the paper by hand, and ours beside them."""

from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.report.beside import beside
from pdloss.report.paper import CERTAINTY, LABELS, paper_tables
from pdloss.report.sources import read_comparison
from pdloss.tasks import TASKS
from tests.report.folders import write_run

ALL = [table for task in TASKS for table in paper_tables(task)]


def test_every_table_of_scores_is_there_and_whole() -> None:
    assert {table.number: len(table.rows) for table in ALL} == {"II": 22, "VIII": 15, "IV": 8, "VI": 9, "VII": 10}
    assert paper_tables("demosaic") == ()
    for table in ALL:
        for row in table.rows:
            if row.loss not in ("reference", "input"):
                assert row.scores.keys() == set(table.columns)
            assert row.certainty in CERTAINTY
            assert row.scores.keys() <= LABELS.keys()


def test_sums_of_the_columns_of_table_two_are_those_added_up_by_hand() -> None:
    rows = [row for row in paper_tables("denoise")[0].rows if row.loss == "PDL"]
    assert [row.weight for row in rows] == ["0.001", "0.005", "0.010", "0.015", "0.020"]
    assert sum(row.scores["psnr"] for row in rows) == pytest.approx(133.30)
    assert sum(row.scores["lpips"] for row in rows) == pytest.approx(1.203)
    assert sum(row.scores["fid"] for row in rows) == pytest.approx(280.31)


def test_the_rows_of_table_eight_that_were_inferred_agree_with_table_two() -> None:
    two, eight = paper_tables("denoise")
    known = {row.weight: row.scores for row in two.rows if row.loss == "PDL"}
    inferred = [row for row in eight.rows if row.certainty == "inferred"]
    assert len(inferred) == 4
    for row in inferred:
        assert row.scores == {key: known[row.weight][key] for key in row.scores}


def test_weights_that_are_not_printed_are_said_to_be_guesses_or_lost() -> None:
    for table in ALL:
        for row in table.rows:
            if table.number != "II" and row.loss.startswith(("PDL", "L1", "L2", "CTX")):
                assert row.certainty != "printed"
            assert (row.certainty == "lost") <= (row.weight == "")


def test_our_rows_stand_under_the_papers_with_their_change_from_pixels_alone(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "l1", {"psnr": [30.0, 31.0, 32.0]}, {"psnr": [10.0, 10.0, 10.0]}, loss="l1"),
        write_run(
            tmp_path / "pdl",
            {"psnr": [29.0, 30.5, 32.0]},
            {"psnr": [10.0, 10.0, 10.0]},
            loss="l1 + 0.1*pdl(features='vgg16.relu4_3', p=1)",
        ),
    ]
    (two, _), unlike = beside(read_comparison(runs))
    assert two.title == "Table II, denoising"
    assert [row.source for row in two.rows] == ["paper"] * 22 + ["ours"] * 3
    start, plain, ours = two.rows[-3:]
    assert start.cells[0].text == "10.00"
    assert (plain.loss, plain.cells[0].text, plain.cells[0].change) == ("l1", "31.00", "")
    assert (ours.loss, ours.cells[0].text, ours.cells[0].change) == ("l1 + 0.1·pdl", "30.50", "\N{MINUS SIGN}0.50")
    assert ours.cells[2].text == ""
    theirs = next(row for row in two.rows if (row.loss, row.weight) == ("PDL", "0.010"))
    assert (theirs.cells[0].change, theirs.cells[2].change) == ("\N{MINUS SIGN}0.52", "\N{MINUS SIGN}0.078")
    words = " ".join(unlike)
    for said in ("100 of DIV2K", "ours are 3 of kodak", "100/255", "noise(sigma=0.1), seed 0", "SRN", "edsr(blocks=1)",
                 "100 steps of 2 crops of 16 pixels", "vgg16.relu4_3 (pdl)"):  # fmt: skip
        assert said in words
    assert "LPIPS" not in words


def test_tasks_without_a_table_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"psnr": [1.0, 2.0, 3.0]}, task="demosaic")
    with pytest.raises(RunError, match="the paper has no table of demosaic, only of denoise, sr, deblur and jpeg"):
        beside(read_comparison([run]))
