"""Who is better, by how much and how surely: against SciPy, and on the committed scores of an experiment."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pdloss.comparison import Comparison, compare
from pdloss.comparison.paired import gaps
from pdloss.records import Metric, SetScore, read_record, write_record
from tests.comparison.test_scored import changed
from tests.report.folders import write_run

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "denoise-first"
NAMES = tuple(f"{i:02}.png" for i in range(24))
STREAM = np.random.default_rng(0)
HARD = STREAM.normal(30, 4, 24)
FIRST = {"psnr": HARD.tolist(), "lpips": (0.3 + STREAM.normal(0, 0.02, 24)).tolist()}
SECOND = {
    "psnr": (HARD - 0.2 + STREAM.normal(0, 0.1, 24)).tolist(),
    "lpips": (np.array(FIRST["lpips"]) - 0.03 + STREAM.normal(0, 0.02, 24)).tolist(),
}


def two_runs(folder: Path, first: dict, second: dict, **options: object) -> list[Path]:
    names = NAMES[: len(next(iter(first.values())))]
    return [write_run(folder / name, values, images=names, **options) for name, values in (("a", first), ("b", second))]


def test_says_per_metric_who_is_better_by_how_much(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    assert [(d.metric, d.name, d.against, d.verdict) for d in comparison.differences] == [
        ("psnr", "b", "a", "worse"),
        ("lpips", "b", "a", "better"),
    ]
    for difference in comparison.differences:
        gap = np.subtract(SECOND[difference.metric], FIRST[difference.metric])
        t = stats.ttest_1samp(gap, 0).confidence_interval(1 - 0.05 / 2)  # of the one pair, in two metrics
        assert difference.value == pytest.approx(gap.mean())
        assert (difference.low, difference.high) == pytest.approx((t.low, t.high), abs=0.1 * (t.high - t.low))
        assert difference.wilcoxon == pytest.approx(stats.wilcoxon(gap, method="exact").pvalue)


def test_pairing_makes_the_interval_of_a_difference_short(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    spread = {mean.metric: mean.high - mean.low for mean in comparison.means if mean.name == "a"}
    psnr = comparison.differences[0]
    assert psnr.high - psnr.low < 0.05 * spread["psnr"]


def test_p_values_are_corrected_over_every_pair_in_every_metric(tmp_path: Path) -> None:
    """Three runs are three pairs, whichever two are shown; of two metrics: six comparisons."""
    runs = [*two_runs(tmp_path, FIRST, SECOND)]
    runs.append(write_run(tmp_path / "c", {key: values[::-1] for key, values in FIRST.items()}, images=NAMES))
    differences = compare(runs).differences
    assert len(differences) == 4
    for difference in differences:
        assert difference.wilcoxon_corrected == pytest.approx(min(1, 6 * difference.wilcoxon))
        assert difference.bootstrap_corrected == pytest.approx(min(1, 6 * difference.bootstrap))


def test_the_more_is_compared_the_wider_is_the_interval_of_one_difference(tmp_path: Path) -> None:
    runs = two_runs(tmp_path, FIRST, SECOND)
    third = write_run(tmp_path / "c", {key: values[::-1] for key, values in FIRST.items()}, images=NAMES)
    alone, among = (compare(paths).differences[0] for paths in (runs, [*runs, third]))
    assert (among.name, among.value) == (alone.name, alone.value)
    assert among.low < alone.low < alone.value < alone.high < among.high


def test_identical_runs_are_called_identical(tmp_path: Path) -> None:
    for difference in compare(two_runs(tmp_path, FIRST, FIRST)).differences:
        assert (difference.value, difference.low, difference.high) == (0.0, 0.0, 0.0)
        assert (difference.wilcoxon, difference.bootstrap, difference.verdict) == (1.0, 1.0, "identical")


def test_ties_in_most_images_do_not_make_a_difference(tmp_path: Path) -> None:
    second = {key: [*values[:20], *(np.array(values[20:]) + 1.0).tolist()] for key, values in FIRST.items()}
    for difference in compare(two_runs(tmp_path, FIRST, second)).differences:
        assert difference.value == pytest.approx(4 / 24)
        assert difference.wilcoxon == pytest.approx(2 / 2**4)
        assert difference.verdict == "unclear"


def test_one_image_has_no_interval_and_no_verdict(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, {"psnr": [30.0]}, {"psnr": [25.0]}))
    (difference,) = comparison.differences
    assert difference.value == -5.0
    assert (difference.low, difference.high, difference.bootstrap) == (None, None, None)
    assert difference.verdict == "unclear"
    assert [mean.low for mean in comparison.means] == [None, None]
    assert comparison.notes == ["1 image is too few to call a difference; with 1 comparison it takes at least 6."]


def test_five_images_are_too_few_and_six_are_enough_for_one_metric(tmp_path: Path) -> None:
    first, second = [30.0 + i for i in range(6)], [20.0 + 1.1 * i for i in range(6)]
    few = compare(two_runs(tmp_path / "five", {"psnr": first[:5]}, {"psnr": second[:5]}))
    enough = compare(two_runs(tmp_path / "six", {"psnr": first}, {"psnr": second}))
    assert few.differences[0].verdict == "unclear"
    assert few.notes == ["5 images are too few to call a difference; with 1 comparison it takes at least 6."]
    assert enough.differences[0].verdict == "worse"
    assert enough.notes == []


def test_a_mean_that_few_images_pull_against_the_rest_is_unclear(tmp_path: Path) -> None:
    """Slightly better on 80 of 100 images, far worse on 20: both tests reject, and they do not agree."""
    stream = np.random.default_rng(0)
    names = tuple(f"{i}.png" for i in range(100))
    gap = np.where(np.arange(100) < 80, 0.05, -1.5) + stream.normal(0, 0.005, 100)
    runs = [
        write_run(tmp_path / name, {"psnr": (30 + d).tolist()}, images=names)
        for name, d in (("a", 0 * gap), ("b", gap))
    ]
    (difference,) = compare(runs).differences
    assert difference.value < 0
    assert difference.wilcoxon_corrected < 0.05 and difference.high < 0
    assert difference.verdict == "unclear"


def test_of_a_score_that_is_best_near_zero_the_distances_are_compared() -> None:
    """From -0.5 to +0.2: the value rises by 0.7, and comes 0.3 nearer."""
    noise = STREAM.normal(0, 0.01, 24)
    gap = gaps(noise + 0.2, noise - 0.5, "zero")
    assert gap.mean() == pytest.approx(-0.3, abs=0.02)
    assert gaps(noise + 0.2, noise - 0.5, "higher").mean() == pytest.approx(0.7)


def test_images_that_equal_their_targets_are_counted_and_left_out_of_a_second_mean(tmp_path: Path) -> None:
    first, second = [30.0, 120.0, 28.0, 29.0], [120.0, 120.0, 27.0, 27.0]
    comparison = compare(two_runs(tmp_path, {"psnr": first}, {"psnr": second}))
    assert [(mean.equal, mean.without_equal) for mean in comparison.means] == [(1, 29.0), (2, 27.0)]
    (difference,) = comparison.differences
    assert (difference.equal, difference.without_equal) == (2, -1.5)  # of the last two images
    usual = compare(two_runs(tmp_path / "usual", FIRST, SECOND))
    assert {mean.equal for mean in usual.means} == {0}
    assert {mean.without_equal for mean in usual.means} == {None}


def test_a_run_of_equal_images_alone_has_no_other_mean(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, {"psnr": [120.0] * 3}, {"psnr": [30.0] * 3}))
    assert (comparison.means[0].equal, comparison.means[0].without_equal) == (3, None)


def test_the_interval_of_a_mean_of_few_images_is_one_that_the_score_can_have(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, {"lpips": [0.0, 0.1, 0.9]}, {"lpips": [0.1, 0.1, 0.2]}))
    for mean in comparison.means:
        assert 0 <= mean.low <= mean.value <= mean.high <= 0.9


def test_the_run_nearer_to_zero_is_better_whatever_its_sign(tmp_path: Path) -> None:
    metrics = {"sharpness": Metric(label="Sharpness", better="zero", protocol="log2 of the ratio")}
    noise = STREAM.normal(0, 0.01, 24)
    near, far = ({"sharpness": (noise + offset).tolist()} for offset in (0.2, -0.5))
    (difference,) = compare(two_runs(tmp_path, far, near, metrics=metrics)).differences
    assert (difference.value, difference.verdict) == (pytest.approx(-0.3, abs=0.02), "better")


def test_scores_of_whole_sets_stand_beside_without_a_test(tmp_path: Path) -> None:
    runs = two_runs(tmp_path, FIRST, SECOND)
    metric = Metric(label="FID", better="lower", protocol="768 features")
    for value, run in enumerate(runs):
        score = SetScore(value=3.0 + value, error=0.5, note="unreliable: 24 images for 768 dimensions")
        changed(run, set_metrics={"fid": metric}, sets={"fid": score})
    comparison = compare(runs)
    assert {name: score.value for name, score in comparison.set_scores["fid"].items()} == {"a": 3.0, "b": 4.0}
    assert {difference.metric for difference in comparison.differences} == {"psnr", "lpips"}


def test_the_seed_changes_the_interval_a_little_and_not_the_mean(tmp_path: Path) -> None:
    runs = two_runs(tmp_path, FIRST, SECOND)
    one, same, other = (compare(runs, seed=seed).differences[0] for seed in (0, 0, 1))
    assert one == same
    assert one.value == other.value
    assert 0 < abs(one.low - other.low) < 0.1 * (one.high - one.low)


def test_the_record_is_read_back_as_written(tmp_path: Path) -> None:
    comparison = compare(two_runs(tmp_path, FIRST, SECOND))
    write_record(tmp_path / "comparison.json", comparison)
    assert read_record(tmp_path / "comparison.json", Comparison) == comparison


@pytest.mark.skipif(not EXPERIMENT.is_dir(), reason="needs the experiments of the repository")
def test_on_a_real_experiment_the_distribution_loss_trades_fidelity_for_perception() -> None:
    comparison = compare([EXPERIMENT / "l1", EXPERIMENT / "pdl-0.0007"])
    verdicts = {difference.metric: difference.verdict for difference in comparison.differences}
    assert verdicts == {"psnr": "worse", "psnr_y": "worse", "ms_ssim": "worse", "lpips": "better"}
    lpips = comparison.differences[-1]
    assert (lpips.value, lpips.low, lpips.high) == pytest.approx((-0.0462, -0.0583, -0.0338), abs=1e-3)
