"""Our numbers under the paper's, with their change from pixels alone."""

from pathlib import Path
from typing import Any

import pytest

from pdloss.errors import RunError
from pdloss.records import Metric
from pdloss.report.paper_comparison import Lacking, PaperRows, paper_comparison
from pdloss.report.sources import read_comparison
from tests.report.folders import METRICS, write_run


def test_our_rows_stand_behind_the_papers_of_their_loss_with_their_change_from_pixels_alone(tmp_path: Path) -> None:
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
    assert [row.source for row in two.rows] == [
        *["paper"] * 2, "ours", "paper", "ours", *["paper"] * 19, "ours"
    ]  # fmt: skip
    start, plain, ours = (row for row in two.rows if row.source == "ours")
    assert start.cells[0].text == "10.00"
    assert (plain.loss, plain.cells[0].text, plain.cells[0].change) == ("l1", "31.00", "")
    assert (ours.loss, ours.weight, ours.remark) == ("l1 + pdl", "0.1", "100 steps")
    assert (ours.cells[0].text, ours.cells[0].change) == ("30.50", "\N{MINUS SIGN}0.50")
    assert ours.cells[0].under == "[29.00, 32.00]"
    assert ours.cells[2].text == ""
    theirs = next(row for row in two.rows if (row.loss, row.weight) == ("PDL", "0.010"))
    assert (theirs.cells[0].change, theirs.cells[2].change) == ("\N{MINUS SIGN}0.52", "\N{MINUS SIGN}0.078")
    words = " ".join(protocol_differences)
    for said in ("100 of DIV2K", "ours are 3 of kodak", "100/255", "noise(sigma=0.1), seed 0", "SRN", "edsr(blocks=1)",
                 "100 steps of 2 crops of 16 pixels", "vgg16.relu4_3 (pdl)"):  # fmt: skip
        assert said in words
    assert "LPIPS: ours have none, since they were not evaluated with it." in protocol_differences


def test_seeds_are_one_row_with_their_spread_and_what_is_lacking_says_why(tmp_path: Path) -> None:
    loss = "l1 + 0.1*perceptual(features='vgg16.relu4_3', p=2)"
    dists = Metric(label="DISTS", better="lower", protocol="published")
    how: dict[str, Any] = {"images": ["a.png", "b.png"], "metrics": METRICS | {"dists": dists}}
    runs = [
        write_run(tmp_path / "a", {"psnr": [30.0, 31.0], "dists": [0.1, 0.3]}, **how, loss=loss, seed=0),
        write_run(tmp_path / "b", {"psnr": [31.0, 34.0], "dists": [0.2, 0.4]}, **how, loss=loss, seed=1),
        write_run(tmp_path / "c", {"psnr": [31.0, 34.0], "dists": [0.2, 0.4]}, **how, loss=loss.replace("0.1", "0.2")),
    ]
    lacking = [Lacking("CTXDP", "failed: no disk")]
    (two,), _ = paper_comparison(read_comparison(runs), PaperRows("II", lacking, {"c": "the default"}))
    assert two.columns[-1] == "DISTS"
    seeds, empty, apart = (row for row in two.rows if row.source == "ours" and row.loss != "input")
    assert (seeds.remark, seeds.cells[0].text, seeds.cells[-1].text) == ("100 steps, 2 seeds", "31.50", "0.250")
    # The seeds' means are 30.5 and 32.5, whose standard deviation is the root of 2.
    assert seeds.cells[0].under == "[30.50, 32.50] ± 1.41"
    assert (empty.loss, empty.remark, {cell.text for cell in empty.cells}) == ("CTXDP", "failed: no disk", {""})
    assert (apart, apart.remark) == (two.rows[-1], "100 steps; the default")
    places = [(row.source, row.loss) for row in two.rows]
    assert places[places.index(("ours", "CTXDP")) - 1] == ("paper", "CTXDP")
    assert two.rows[two.rows.index(seeds) - 1].loss == "L2"


def test_tasks_without_a_table_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", {"psnr": [1.0, 2.0, 3.0]}, task="demosaic")
    with pytest.raises(RunError, match="the paper has no table of demosaic, only of denoise, sr, deblur and jpeg"):
        paper_comparison(read_comparison([run]))
