"""Losses at equal fidelity: by hand, and on the committed scores of an experiment."""

import json
from pathlib import Path

import numpy as np
import pytest

from pdloss.comparison import MatchedComparison, compare_matched
from pdloss.errors import RunError, SpecError
from pdloss.records import read_record, write_record
from tests.comparison.test_paired import EXPERIMENT
from tests.report.folders import write_run

NAMES = tuple(f"{i:02}.png" for i in range(24))
STREAM = np.random.default_rng(0)
HARD = STREAM.normal(0, 3, 24)
HARD -= HARD.mean()
RUNS = {
    "base": ("l1", 30.0, 0.30),
    "p1": ("l1 + 0.1*pdl(p=1)", 29.0, 0.20),
    "p2": ("l1 + 0.2*pdl(p=1)", 28.0, 0.15),
    "q1": ("l1 + 0.1*perceptual(p=1)", 29.5, 0.27),
    "q2": ("l1 + 0.2*perceptual(p=1)", 28.5, 0.24),
}


def run_folders(folder: Path, names: str = "base p1 p2 q1 q2") -> list[Path]:
    noise = np.random.default_rng(1)
    paths = []
    for name in names.split():
        loss, psnr, lpips = RUNS[name]
        values = {
            "psnr": (psnr + HARD + noise.normal(0, 0.05, 24)).tolist(),
            "lpips": (lpips - 0.01 * HARD + noise.normal(0, 0.005, 24)).tolist(),
        }
        paths.append(write_run(folder / name, values, images=NAMES, loss=loss))
    return paths


def test_compares_at_equal_fidelity(tmp_path: Path) -> None:
    """At 29.25 dB the pdl sweep is a quarter of the way from p1 to base: 0.225; perceptual 0.2625 between its own."""
    comparison = compare_matched(run_folders(tmp_path), "psnr", level=29.25)
    assert [sweep.runs for sweep in comparison.sweeps] == [["p2", "p1", "base"], ["q2", "q1", "base"]]
    assert [[s.points[i].runs[0] for i in s.between] for s in comparison.sweeps] == [["p1", "base"], ["q2", "q1"]]
    assert [mean.value for mean in comparison.means] == pytest.approx([0.225, 0.2625], abs=0.006)
    (difference,) = comparison.differences
    assert (difference.name, difference.against) == ("l1 + perceptual", "l1 + pdl")
    assert difference.value == pytest.approx(0.0375, abs=0.008)
    assert difference.low < difference.value < difference.high
    assert (difference.wilcoxon, difference.verdict) == (None, "worse")
    assert difference.high - difference.low < 0.02  # what images are hard is common to all


def test_without_a_level_it_is_the_middle_of_what_all_reach(tmp_path: Path) -> None:
    comparison = compare_matched(run_folders(tmp_path), "psnr")
    assert comparison.level == pytest.approx((comparison.low + comparison.high) / 2)
    assert comparison.low == pytest.approx(28.5, abs=0.05)
    assert comparison.high == pytest.approx(30.0, abs=0.05)


def test_any_metric_can_be_matched(tmp_path: Path) -> None:
    comparison = compare_matched(run_folders(tmp_path), "lpips")
    assert {difference.metric for difference in comparison.differences} == {"psnr"}
    assert comparison.differences[0].verdict == "worse"  # as much perception costs perceptual more fidelity


def test_refuses_to_extrapolate(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"PSNR 25 is not reached .* nothing is extrapolated; choose from 28\.\d+ to 30"):
        compare_matched(run_folders(tmp_path), "psnr", level=25.0)


def test_refuses_sweeps_that_reach_nothing_in_common(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no PSNR is reached by every sweep.*l1 from 30.*l1 \+ pdl from 27.99"):
        compare_matched(run_folders(tmp_path, "base p1 p2"), "psnr")


def test_refuses_a_metric_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no metric 'psnt' in common; did you mean 'psnr'"):
        compare_matched(run_folders(tmp_path), "psnt")
    lone = [write_run(tmp_path / name, {"psnr": [1.0, 2.0, 3.0]}) for name in "xy"]
    with pytest.raises(SpecError, match="no metric but 'psnr'"):
        compare_matched(lone, "psnr")


def test_areas_begin_at_the_worst_of_all_runs(tmp_path: Path) -> None:
    comparison = compare_matched(run_folders(tmp_path), "psnr")
    psnr, lpips = comparison.references["lpips"]
    assert (psnr, lpips) == pytest.approx((28.0, 0.30), abs=0.04)
    # Of the true means: p1 beats (29 - 28)(0.3 - 0.2) = 0.1; q1 and q2 0.5*0.06 + 1*0.03 = 0.06.
    areas = [sweep.hypervolumes["lpips"] for sweep in comparison.sweeps]
    assert areas == pytest.approx([0.1, 0.06], abs=0.02)
    assert comparison.frontiers["lpips"] == ["base", "p1", "p2", "q1"]


def test_too_few_images_and_turning_sweeps_are_said(tmp_path: Path) -> None:
    paths = []
    for name, (loss, psnr, lpips) in (RUNS | {"p3": ("l1 + 0.3*pdl(p=1)", 28.7, 0.1)}).items():
        paths.append(write_run(tmp_path / name, {"psnr": [psnr] * 3, "lpips": [lpips] * 3}, loss=loss))
    comparison = compare_matched(paths, "psnr")
    assert comparison.notes == [
        "PSNR does not follow the weight in the sweep l1 + pdl: its runs were taken in the order of PSNR.",
        "3 images are too few to call a difference; with 1 comparison it takes at least 6.",
    ]
    assert comparison.differences[0].verdict == "unclear"


def test_seeds_of_one_weight_are_one_point_with_their_spread(tmp_path: Path) -> None:
    paths = run_folders(tmp_path)
    values = {"psnr": (29.4 + HARD).tolist(), "lpips": (0.24 - 0.01 * HARD).tolist()}
    paths.append(write_run(tmp_path / "p1-again", values, images=NAMES, loss=RUNS["p1"][0], seed=1))
    pdl = compare_matched(paths, "psnr").sweeps[0]
    assert [point.runs for point in pdl.points] == [["p2"], ["p1", "p1-again"], ["base"]]
    first, second = (sum(RUNS["p1"][1] + HARD) / 24, 29.4)
    assert pdl.points[1].level == pytest.approx((first + second) / 2, abs=0.03)
    assert pdl.points[1].spreads["psnr"] == pytest.approx(abs(second - first) / 2**0.5, abs=0.03)
    assert pdl.points[0].spreads == {}


def test_refuses_runs_that_were_trained_alike(tmp_path: Path) -> None:
    paths = run_folders(tmp_path)
    values = {"psnr": (29.4 + HARD).tolist(), "lpips": (0.24 - 0.01 * HARD).tolist()}
    paths.append(write_run(tmp_path / "twin", values, images=NAMES, loss="0.1*pdl(p=1) + l1"))
    with pytest.raises(RunError, match="p1 and twin were trained alike, .* and the seed 0"):
        compare_matched(paths, "psnr")


def test_refuses_a_single_sweep(tmp_path: Path) -> None:
    paths = run_folders(tmp_path, "p1 p2")
    with pytest.raises(RunError, match=r"one sweep, of l1 \+ pdl\(p=1\); .*two losses"):
        compare_matched(paths, "psnr")


def test_no_interval_leaves_what_the_images_show(tmp_path: Path) -> None:
    """Two runs of nearly one PSNR once gave LPIPS 0.48 an interval from -5.6 to 0.9."""
    noise = np.random.default_rng(3)
    losses = {"a1": ("l1 + 0.1*pdl(p=1)", 30.0), "a2": ("l1 + 0.2*pdl(p=1)", 30.004), "b1": ("l1 + 0.1*lpips", 29.9)}
    losses["b2"] = ("l1 + 0.2*lpips", 30.1)
    paths = [
        write_run(
            tmp_path / name,
            {"psnr": (psnr + HARD + noise.normal(0, 0.3, 24)).tolist(), "lpips": noise.uniform(0.1, 0.9, 24).tolist()},
            images=NAMES,
            loss=loss,
        )
        for name, (loss, psnr) in losses.items()
    ]
    for mean in compare_matched(paths, "psnr").means:
        assert 0.1 < mean.low < mean.value < mean.high < 0.9


def test_images_that_equal_their_targets_are_said(tmp_path: Path) -> None:
    paths = run_folders(tmp_path)
    values = {"psnr": [120.0, *(28.0 + HARD[1:]).tolist()], "lpips": [0.0, *[0.2] * 23]}
    write_run(tmp_path / "p2", values, images=NAMES, loss=RUNS["p2"][0])
    (note,) = (text for text in compare_matched(paths, "psnr").notes if "120 dB" in text)
    assert note.startswith("The mean PSNR of p2 counts 120 dB for images that equal their targets: ")
    assert note.endswith(f"{np.mean(28.0 + HARD[1:]):.2f} without 1 equal.")


def test_one_image_has_values_alone(tmp_path: Path) -> None:
    paths = [
        write_run(tmp_path / name, {"psnr": [psnr], "lpips": [lpips]}, images=("one.png",), loss=loss)
        for name, (loss, psnr, lpips) in RUNS.items()
    ]
    (difference,) = compare_matched(paths, "psnr", level=29.0).differences
    assert difference.value == pytest.approx(0.255 - 0.2)
    assert (difference.low, difference.bootstrap, difference.verdict) == (None, None, "unclear")


def test_the_record_is_read_back_as_written(tmp_path: Path) -> None:
    comparison = compare_matched(run_folders(tmp_path), "psnr")
    write_record(tmp_path / "matched.json", comparison)
    assert read_record(tmp_path / "matched.json", MatchedComparison) == comparison


@pytest.mark.skipif(not EXPERIMENT.is_dir(), reason="needs the experiments of the repository")
def test_on_a_real_experiment_agrees_with_numpys_interpolation() -> None:
    sweeps = (["l1", "pdl-0.0007", "pdl-0.002"], ["l1", "perceptual-0.001", "perceptual-0.003"])
    names = sorted({name for sweep in sweeps for name in sweep})
    comparison = compare_matched([EXPERIMENT / name for name in names], "psnr", level=28.0)

    def means(run: str, metric: str) -> float:
        images = json.loads((EXPERIMENT / run / "kodak24.json").read_text())["images"]
        return float(np.mean([image["restored"][metric] for image in images]))

    for metric in ("lpips", "ms_ssim"):
        ours = [mean.value for mean in comparison.means if mean.metric == metric]
        theirs = [
            np.interp(28.0, *([means(n, key) for n in sweep[::-1]] for key in ("psnr", metric))) for sweep in sweeps
        ]
        assert ours == pytest.approx(theirs)
    lpips = next(difference for difference in comparison.differences if difference.metric == "lpips")
    assert lpips.low < lpips.value < lpips.high
