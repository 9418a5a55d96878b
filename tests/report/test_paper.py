"""The paper's numbers, against sums made of the paper by hand, and ours beside them."""

import pytest

from pdloss.report.paper import CERTAINTY, LABELS, paper_tables
from pdloss.tasks import TASKS

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
