"""Our numbers under the paper's, with their change from pixels alone."""

from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.report.paper_comparison import paper_comparison
from pdloss.report.sources import read_comparison
from tests.report.folders import write_run


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
    (two, _), protocol_differences = paper_comparison(read_comparison(runs))
    assert two.title == "Table II, denoising"
    assert [row.source for row in two.rows] == ["paper"] * 22 + ["ours"] * 3
    start, plain, ours = two.rows[-3:]
    assert start.cells[0].text == "10.00"
    assert (plain.loss, plain.cells[0].text, plain.cells[0].change) == ("l1", "31.00", "")
    assert (ours.loss, ours.cells[0].text, ours.cells[0].change) == ("l1 + 0.1·pdl", "30.50", "\N{MINUS SIGN}0.50")
    assert ours.cells[2].text == ""
    theirs = next(row for row in two.rows if (row.loss, row.weight) == ("PDL", "0.010"))
    assert (theirs.cells[0].change, theirs.cells[2].change) == ("\N{MINUS SIGN}0.52", "\N{MINUS SIGN}0.078")
    words = " ".join(protocol_differences)
    for said in ("100 of DIV2K", "ours are 3 of kodak", "100/255", "noise(sigma=0.1), seed 0", "SRN", "edsr(blocks=1)",
                 "100 steps of 2 crops of 16 pixels", "vgg16.relu4_3 (pdl)"):  # fmt: skip
        assert said in words
    assert "LPIPS" not in words


def test_tasks_without_a_table_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"psnr": [1.0, 2.0, 3.0]}, task="demosaic")
    with pytest.raises(RunError, match="the paper has no table of demosaic, only of denoise, sr, deblur and jpeg"):
        paper_comparison(read_comparison([run]))
