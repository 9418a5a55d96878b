"""Which metrics stand against each other on a page."""

from pathlib import Path

import pytest

from pdloss.records import Metric, SetScore
from pdloss.report.planes import drawing, input_text
from pdloss.report.sources import read_comparison
from tests.report.folders import runs_at, write_run


def test_the_input_is_drawn_only_where_it_does_not_dwarf_the_runs(tmp_path: Path) -> None:
    near, far = runs_at(tmp_path / "near", (26.0, 0.5)), runs_at(tmp_path / "far", (10.0, 0.5))
    drawn = drawing(near, "psnr", "lpips", near.groups())
    left = drawing(far, "psnr", "lpips", far.groups())
    assert drawn is not None
    assert left is not None
    assert drawn.input == pytest.approx((26.0, 0.5))
    assert left.input is None
    assert input_text(far, "psnr", "lpips") == "PSNR 10.00 and LPIPS 0.5000"
    assert input_text(runs_at(tmp_path / "none"), "psnr", "lpips") is None


def test_scores_of_the_set_have_a_plane_if_every_run_has_them(tmp_path: Path) -> None:
    metrics = {"kid": Metric(label="KID", better="lower", protocol="")}
    runs = [
        write_run(tmp_path / n, {"psnr": [v, v + 1, v + 2]}, set_metrics=metrics, sets={"kid": SetScore(value=v / 1e3)})
        for n, v in (("a", 20.0), ("b", 30.0))
    ]
    comparison = read_comparison(runs)
    shown = drawing(comparison, "psnr", "kid", comparison.groups())
    assert shown is not None
    assert shown.plane.points == ((21.0, 0.02), (31.0, 0.03))
    without = read_comparison([*runs, write_run(tmp_path / "c", {"psnr": [1.0, 2.0, 3.0]})])
    assert drawing(without, "psnr", "kid", without.groups()) is None


def test_one_run_has_no_plane(tmp_path: Path) -> None:
    alone = read_comparison([write_run(tmp_path / "a", {"psnr": [1.0, 2.0, 3.0], "lpips": [1.0, 1.0, 1.0]})])
    assert drawing(alone, "psnr", "lpips", alone.groups()) is None
