"""The perception-distortion plane."""

from pathlib import Path

import pytest

from pdloss.records import Metric, SetScore
from pdloss.report import svg
from pdloss.report.palette import run_inks
from pdloss.report.plane import NAMED, axis_label, chart, drawing, dwarfs, input_text, volumes
from pdloss.report.sources import Comparison, read_comparison
from tests.report.folders import write_run
from tests.report.pages import texts

PLACES = {"l1": (30.0, 0.4), "pdl-1": (29.0, 0.2), "pdl-2": (27.0, 0.1), "ctx": (28.0, 0.3)}
WEIGHTS = {"l1": "l1", "pdl-1": "l1 + 0.1*pdl", "pdl-2": "l1 + 0.2*pdl", "ctx": "l1 + 0.1*contextual"}


def runs_at(folder: Path, degraded: tuple[float, float] | None = None) -> Comparison:
    start = {"psnr": [degraded[0]] * 3, "lpips": [degraded[1]] * 3} if degraded else None
    return read_comparison(
        [
            write_run(folder / name, {"psnr": [x - 1, x, x + 1], "lpips": [y] * 3}, start, loss=WEIGHTS[name])
            for name, (x, y) in PLACES.items()
        ]
    )


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
    drawn = chart(shown, run_inks(found), comparison, "plane")
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
    inks = run_inks([group])
    assert inks[0] == inks[1] != inks[2]


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


def test_a_point_far_away_dwarfs_the_others() -> None:
    runs = [(30.0, 0.2), (32.0, 0.3)]
    assert not dwarfs((28.0, 0.4), runs)
    assert dwarfs((10.0, 0.4), runs)
    assert dwarfs((30.0, 1.3), runs)


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
        words = texts(svg.inline(chart(shown, run_inks(found), comparison, "p")))
        assert ("loss1" in words) != numbered
        assert {"1", str(len(chosen))} <= set(words) if numbered else "1" not in words


def test_one_run_has_no_plane(tmp_path: Path) -> None:
    alone = read_comparison([write_run(tmp_path / "a", {"psnr": [1.0, 2.0, 3.0], "lpips": [1.0, 1.0, 1.0]})])
    assert drawing(alone, "psnr", "lpips", alone.groups()) is None


def test_the_axis_says_where_better_is() -> None:
    assert axis_label(Metric(label="bias", better="zero", protocol=""), "→").endswith("best near 0")
    assert axis_label(Metric(label="LPIPS", better="lower", protocol=""), "→").endswith("← better")
