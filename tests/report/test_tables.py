"""Means, paired differences, what is best, and the sentence that says it."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pdloss.records import Metric
from pdloss.report.sources import Comparison, read_comparison
from pdloss.report.tables import headline, image_table, paired_difference, score_table, trade_off
from tests.report.folders import METRICS, write_run

INPUT = {"psnr": [20.0, 21.0, 22.0], "lpips": [0.5, 0.6, 0.7]}
SHARP = {"psnr": [28.0, 29.5, 30.0], "lpips": [0.10, 0.12, 0.11]}
SMOOTH = {"psnr": [29.0, 30.0, 32.0], "lpips": [0.30, 0.28, 0.35]}


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return read_comparison([write_run(tmp_path / "smooth", SMOOTH, INPUT), write_run(tmp_path / "sharp", SHARP, INPUT)])


def test_the_paired_difference_and_its_error_agree_with_scipy() -> None:
    stream = np.random.default_rng(0)
    a, b = stream.normal(30, 4, 24), stream.normal(29, 4, 24)
    difference = paired_difference(a, b)
    assert difference.error is not None
    assert difference.mean == pytest.approx(a.mean() - b.mean())
    assert difference.error == pytest.approx(stats.sem(a - b))
    assert difference.mean / difference.error == pytest.approx(stats.ttest_rel(a, b).statistic)


def test_what_is_hard_for_both_leaves_the_paired_error_alone() -> None:
    hard = np.array([0.0, 10.0, -20.0, 40.0])
    a, b = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 2.0, 2.0])
    plain, shifted = paired_difference(a, b), paired_difference(a + hard, b + hard)
    assert (plain.mean, plain.error) == pytest.approx((shifted.mean, shifted.error))


def test_one_pair_has_a_difference_and_no_error() -> None:
    assert paired_difference(np.array([2.0]), np.array([5.0])) == paired_difference(np.array([1.0]), np.array([4.0]))
    assert paired_difference(np.array([2.0]), np.array([5.0])).error is None


def test_the_first_row_is_the_input_and_the_others_are_the_runs(comparison: Comparison) -> None:
    rows = score_table(comparison)
    assert [row.name for row in rows] == ["degraded input", "smooth", "sharp"]
    means = [[cell.mean for cell in row.cells if cell] for row in rows]
    assert np.allclose(means, [[21.0, 0.6], [91 / 3, 0.31], [87.5 / 3, 0.11]])
    assert [cell.text for cell in rows[2].cells if cell] == ["29.17", "0.1100"]


def test_differences_are_against_the_first_run(comparison: Comparison) -> None:
    _, first, second = score_table(comparison)
    assert all(cell is not None and cell.difference is None for cell in first.cells)
    psnr = second.cells[0]
    assert psnr is not None
    assert psnr.difference is not None
    differences = np.subtract(SHARP["psnr"], SMOOTH["psnr"])
    assert psnr.difference.mean == pytest.approx(differences.mean())
    assert psnr.difference.error == pytest.approx(stats.sem(differences))
    assert psnr.difference_text == "\N{MINUS SIGN}1.17 ± 0.44"
    assert psnr.clear


def test_a_difference_within_two_standard_errors_is_not_clear(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "a", {"psnr": [30.0, 30.0, 30.0]}),
        write_run(tmp_path / "b", {"psnr": [29.0, 30.0, 31.5]}),
    ]
    cell = score_table(read_comparison(runs))[2].cells[0]
    assert cell is not None
    assert cell.difference is not None
    assert cell.difference.mean > 0
    assert not cell.clear


def test_the_best_of_the_runs_follows_the_direction_of_the_metric(comparison: Comparison) -> None:
    degraded, smooth, sharp = ([cell.best for cell in row.cells if cell] for row in score_table(comparison))
    assert (degraded, smooth, sharp) == ([False, False], [True, False], [False, True])


def test_a_single_run_is_not_the_best(tmp_path: Path) -> None:
    comparison = read_comparison([write_run(tmp_path / "a", SHARP)])
    assert not any(cell.best for row in score_table(comparison) for cell in row.cells if cell)


def test_an_input_without_scores_has_empty_cells(tmp_path: Path) -> None:
    comparison = read_comparison([write_run(tmp_path / "a", SHARP)])
    assert score_table(comparison)[0].cells == (None, None)


def test_every_image_has_its_row_and_its_best_run(comparison: Comparison) -> None:
    rows = image_table(comparison, "lpips")
    assert [row.name for row in rows] == ["one.png", "two.png", "three.png"]
    assert [[cell.mean for cell in row.cells if cell] for row in rows][1] == [0.6, 0.28, 0.12]
    assert [[cell.best for cell in row.cells if cell] for row in rows][1] == [False, False, True]


def test_the_headline_states_the_trade_off(comparison: Comparison) -> None:
    sentence = headline(comparison).replace("\N{NO-BREAK SPACE}", " ")
    gain, cost = (stats.sem(np.subtract(SHARP[key], SMOOTH[key])) for key in ("lpips", "psnr"))
    assert sentence == (
        "sharp has the lowest LPIPS (0.1100) and smooth the highest PSNR (30.33 dB) of the 2 runs on the 3 images: "
        f"0.2000 ± {gain:.4f} LPIPS less costs 1.17 ± {cost:.2f} dB PSNR."
    )


def test_the_headline_names_a_run_that_is_best_in_both(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "worse", {"psnr": [20.0, 20.0, 20.0], "lpips": [0.9, 0.9, 0.9]}),
        write_run(tmp_path / "better", SHARP),
    ]
    sentence = headline(read_comparison(runs)).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence.startswith("better has the highest PSNR (29.17 dB) and the lowest LPIPS (0.1100) of the 2 runs")


def test_the_headline_of_one_run_says_what_it_gains(tmp_path: Path) -> None:
    comparison = read_comparison([write_run(tmp_path / "a", SHARP, INPUT)])
    sentence = headline(comparison).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == (
        "a takes PSNR from 21.00 to 29.17 dB and LPIPS from 0.6000 to 0.1100 on average over the 3 images."
    )


def test_the_headline_does_without_psnr_and_lpips(tmp_path: Path) -> None:
    metrics = {"niqe": Metric(label="NIQE", better="lower", protocol="official")}
    runs = [write_run(tmp_path / name, {"niqe": [v, v, v]}, metrics=metrics) for name, v in (("a", 4.0), ("b", 3.0))]
    assert headline(read_comparison(runs)) == "b has the lowest NIQE (3.000) of the 2 runs on the 3 images."


def test_the_trade_off_is_found_under_names_with_options(tmp_path: Path) -> None:
    metrics = {"psnr": METRICS["psnr"], "lpips(net='vgg')": METRICS["lpips"]}
    scores = {"psnr": SHARP["psnr"], "lpips(net='vgg')": SHARP["lpips"]}
    with_options = read_comparison([write_run(tmp_path / "a", scores, metrics=metrics)])
    assert trade_off(with_options) == ("psnr", "lpips(net='vgg')")
    assert trade_off(read_comparison([write_run(tmp_path / "b", {"psnr": [1.0, 2.0, 3.0]})])) is None
