"""The perception-distortion plane."""

from pathlib import Path

import pytest

from pdloss.charts import svg
from pdloss.charts.palette import run_styles
from pdloss.charts.plane import NAMED, axis_label, chart, dwarfs, volumes
from pdloss.records import Metric
from pdloss.report.planes import drawing
from pdloss.report.sources import read_comparison
from tests.report.folders import runs_at, write_run
from tests.report.pages import texts


def test_the_hypervolume_of_each_loss_is_the_area_it_wins_from_the_worst_corner(tmp_path: Path) -> None:
    comparison = runs_at(tmp_path)
    shown = drawing(comparison, "psnr", "lpips", comparison.groups())
    assert shown is not None
    assert shown.plane.reference == pytest.approx((27.0, 0.4))
    # By hand: l1 and pdl-2 lie on the corner's own lines and win nothing, pdl-1 (29-27)*(0.4-0.2), ctx 1*0.1.
    assert [(f.name, float(area)) for f, area in volumes(shown)] == [
        ("l1 + pdl", pytest.approx(0.4)),
        ("l1 + contextual", pytest.approx(0.1)),
        ("l1", 0.0),
    ]
    assert [comparison.runs[i].name for i in shown.plane.frontier()] == ["l1", "pdl-1", "pdl-2"]


def test_losses_are_joined_named_and_described(tmp_path: Path) -> None:
    comparison = runs_at(tmp_path)
    found = comparison.groups()
    shown = drawing(comparison, "psnr", "lpips", found)
    assert shown is not None
    drawn = chart(shown, run_styles(found), "plane")
    assert "pdl-2: PSNR 27, LPIPS 0.1" in drawn.description
    words = texts(svg.inline(drawn))
    assert {"l1", "pdl 0.2", "0.1", "contextual"} <= set(words)
    assert any(word.startswith("PSNR (dB)") and word.endswith("→ better") for word in words)
    assert any(word.startswith("LPIPS") and word.endswith("↓ better") for word in words)


def test_a_curve_goes_through_the_mean_of_the_seeds_and_shows_every_run(tmp_path: Path) -> None:
    psnr = {("l1 + 0.1*pdl", 0): 29.0, ("l1 + 0.1*pdl", 1): 30.0, ("l1 + 0.2*pdl", 0): 27.0}
    comparison = read_comparison(
        [
            write_run(tmp_path / f"{i}", {"psnr": [x] * 3, "lpips": [x / 100] * 3}, loss=loss, seed=seed)
            for i, ((loss, seed), x) in enumerate(psnr.items())
        ]
    )
    (group,) = comparison.groups()
    shown = drawing(comparison, "psnr", "lpips", [group])
    assert shown is not None
    assert shown.curve(group) == [pytest.approx((29.5, 0.295)), pytest.approx((27.0, 0.27))]
    assert len(shown.plane.points) == 3
    styles = run_styles([group])
    assert styles[0] == styles[1] != styles[2]


def test_a_point_far_away_dwarfs_the_others() -> None:
    runs = [(30.0, 0.2), (32.0, 0.3)]
    assert not dwarfs((28.0, 0.4), runs)
    assert dwarfs((10.0, 0.4), runs)
    assert dwarfs((30.0, 1.3), runs)


def test_many_losses_are_numbered_as_in_the_list_of_their_hypervolumes(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / f"{i}", {"psnr": [27.0 + i, 28.0, 29.0], "lpips": [i / 10] * 3}, loss=f"l1 + loss{i}")
        for i in range(NAMED + 1)
    ]
    for chosen, numbered in ((runs, True), (runs[:-1], False)):
        comparison = read_comparison(chosen)
        found = comparison.groups()
        shown = drawing(comparison, "psnr", "lpips", found)
        assert shown is not None
        words = texts(svg.inline(chart(shown, run_styles(found), "p")))
        assert ("loss1" in words) != numbered
        assert {"1", str(len(chosen))} <= set(words) if numbered else "1" not in words


def test_the_axis_says_where_better_is() -> None:
    assert axis_label(Metric(label="bias", better="zero", protocol=""), "→").endswith("best near 0")
    assert axis_label(Metric(label="LPIPS", better="lower", protocol=""), "→").endswith("← better")
