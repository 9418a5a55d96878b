"""Means and their intervals, what is best, and what is not told apart from it."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pdloss.comparison import compare
from pdloss.records import Metric, SetScore
from pdloss.report.scores import best_run, digits_of, gap, image_table, score_table, tied_with
from pdloss.report.sources import Comparison, read_comparison
from pdloss.tables.numerals import best_of
from tests.report.folders import write_run

INPUT = {"psnr": [20.0, 21.0, 22.0], "lpips": [0.5, 0.6, 0.7]}
SHARP = {"psnr": [28.0, 29.5, 30.0], "lpips": [0.10, 0.12, 0.11]}
SMOOTH = {"psnr": [29.0, 30.0, 32.0], "lpips": [0.30, 0.28, 0.35]}
MANY = tuple(f"{i}.png" for i in range(24))


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return read_comparison([write_run(tmp_path / "smooth", SMOOTH, INPUT), write_run(tmp_path / "sharp", SHARP, INPUT)])


def many_runs(folder: Path, **psnr: np.ndarray) -> Comparison:
    runs = [write_run(folder / name, {"psnr": values.tolist()}, images=MANY) for name, values in psnr.items()]
    return read_comparison(runs)


def test_the_first_row_is_the_input_and_the_others_are_the_runs(comparison: Comparison) -> None:
    rows = score_table(comparison)
    assert [row.name for row in rows] == ["degraded input", "smooth", "sharp"]
    means = [[cell.mean for cell in row.cells if cell] for row in rows]
    assert np.allclose(means, [[21.0, 0.6], [91 / 3, 0.31], [87.5 / 3, 0.11]])
    assert [cell.text for cell in rows[2].cells if cell] == ["29.17", "0.1100"]


def test_intervals_and_differences_are_those_of_pdloss_compare(comparison: Comparison, tmp_path: Path) -> None:
    told = compare([tmp_path / "smooth", tmp_path / "sharp"])
    for mean in told.means:
        row = next(row for row in score_table(comparison) if row.name == mean.name)
        cell = row.cells[list(comparison.metrics).index(mean.metric)]
        assert cell is not None
        assert (cell.mean, cell.low, cell.high) == (mean.value, mean.low, mean.high)
    for difference in told.differences:
        found = gap(comparison, difference.metric, 1, 0)
        assert (found.value, found.low, found.high) == (difference.value, difference.low, difference.high)


def test_the_interval_of_a_difference_is_close_to_students(tmp_path: Path) -> None:
    stream = np.random.default_rng(0)
    hard = stream.normal(0, 4, 24)
    a, b = 30 + hard + stream.normal(0, 0.2, 24), 29.8 + hard + stream.normal(0, 0.2, 24)
    found = gap(many_runs(tmp_path, a=a, b=b), "psnr", 0, 1)
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.low is not None
    assert found.high is not None
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.1 * width)
    assert found.high == pytest.approx(expected.high, abs=0.1 * width)


def test_a_run_ties_with_the_best_only_while_the_interval_includes_zero(tmp_path: Path) -> None:
    stream = np.random.default_rng(1)
    best = 30 + stream.normal(0, 3, 24)
    noise = stream.normal(0, 1, 24)
    noise -= noise.mean()
    comparison = many_runs(tmp_path, near=best - 0.05 + noise, best=best, far=best - 2.0 + noise)
    assert best_run(comparison, "psnr") == 1
    assert tied_with(comparison, "psnr", 1) == [0]
    near, top, far = (next(c for c in row.cells if c) for row in score_table(comparison)[1:])
    assert [(c.best, c.tied) for c in (near, top, far)] == [(False, True), (True, False), (False, False)]


def test_the_best_of_the_runs_follows_the_direction_of_the_metric(comparison: Comparison) -> None:
    degraded, smooth, sharp = ([cell.best for cell in row.cells if cell] for row in score_table(comparison))
    assert (degraded, smooth, sharp) == ([False, False], [True, False], [False, True])


def test_a_score_that_is_best_near_zero_is_judged_by_its_distance(tmp_path: Path) -> None:
    metrics = {"bias": Metric(label="bias", better="zero", protocol="")}
    values = {"a": [-0.5, -0.6, -0.5], "b": [0.1, -0.1, 0.0]}
    runs = [write_run(tmp_path / name, {"bias": v}, metrics=metrics) for name, v in values.items()]
    comparison = read_comparison(runs)
    assert best_run(comparison, "bias") == 1
    assert gap(comparison, "bias", 1, 0).value == pytest.approx(-7 / 15)
    assert best_of([-0.2, 0.1, -0.1], metrics["bias"], 2) == [False, True, True]


def test_a_single_run_is_not_the_best_and_one_image_has_no_interval(tmp_path: Path) -> None:
    alone = read_comparison([write_run(tmp_path / "a", SHARP)])
    assert not any(cell.best for row in score_table(alone) for cell in row.cells if cell)
    one = read_comparison([write_run(tmp_path / "b", {"psnr": [30.0]}, images=("one.png",))])
    cell = score_table(one)[1].cells[0]
    assert cell is not None
    assert (cell.low, cell.high, cell.under) == (None, None, "")


def test_an_input_without_scores_has_empty_cells(tmp_path: Path) -> None:
    assert score_table(read_comparison([write_run(tmp_path / "a", SHARP)]))[0].cells == (None, None)


def test_scores_of_the_set_stand_beside_with_error_and_doubt(tmp_path: Path) -> None:
    metrics = {k: Metric(label=k.upper(), better="lower", protocol="") for k in ("fid", "kid")}
    fid, kid = SetScore(value=80.0, note="unreliable: 3 images"), SetScore(value=0.0213, error=0.0041)
    first = write_run(tmp_path / "a", SHARP, set_metrics=metrics, sets={"fid": fid, "kid": kid})
    second = write_run(tmp_path / "b", SMOOTH, set_metrics=metrics, sets={"kid": SetScore(value=0.03, error=0.004)})
    _, a, b = score_table(read_comparison([first, second]))
    doubtful, best = a.cells[2], a.cells[3]
    assert doubtful is not None
    assert best is not None
    assert (doubtful.text, doubtful.note) == ("80.00", "unreliable: 3 images")
    assert (best.text, best.under, best.best) == ("0.0213", "±\N{NO-BREAK SPACE}0.0041", True)
    assert b.cells[2] is None


def test_every_image_has_its_row_and_its_best_run(comparison: Comparison) -> None:
    rows = image_table(comparison, "lpips")
    assert [row.name for row in rows] == ["one.png", "two.png", "three.png"]
    assert [[cell.mean for cell in row.cells if cell] for row in rows][1] == [0.6, 0.28, 0.12]
    assert [[cell.best for cell in row.cells if cell] for row in rows][1] == [False, False, True]


@pytest.mark.parametrize(
    ("means", "shown"),
    [
        ((1.79e-4, 1.63e-4), "0.000179"),
        ((1.79e-4, -2e-9), "0.000179"),
        ((0.0191, 0.0173), "0.0191"),
        ((0.0, 0.0), "0.0000"),
        ((1e-12, 0.0), "0.000000"),
    ],
)
def test_small_scores_keep_three_figures(tmp_path: Path, means: tuple[float, float], shown: str) -> None:
    kid = {"kid": Metric(label="KID", better="lower", protocol="unbiased")}
    runs = [
        write_run(tmp_path / str(i), SHARP, set_metrics=kid, sets={"kid": SetScore(value=mean, error=2e-5)})
        for i, mean in enumerate(means)
    ]
    comparison = read_comparison(runs)
    cell = score_table(comparison)[1].cells[-1]
    assert cell is not None
    assert cell.text == shown
    assert cell.under == f"±\N{NO-BREAK SPACE}{2e-5:.{digits_of(comparison, 'kid')}f}"
