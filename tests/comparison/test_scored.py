"""Which score files are found, and which are refused with the difference named."""

import os
from pathlib import Path

import msgspec
import pytest

from pdloss.comparison import comparable
from pdloss.errors import RunError
from pdloss.records import NOT_KNOWN, Method, Metric, Scores, SetScore, read_record, write_record
from tests.report.folders import IMAGES, METRICS, write_run

GOOD = {"psnr": [30.0, 31.0, 32.0], "lpips": [0.1, 0.2, 0.3]}
INPUT = {"psnr": [20.0, 21.0, 22.0]}


def changed(run: Path, set_name: str = "kodak", **changes: object) -> Path:
    """Rewrites some fields of a run's scores."""
    file = run / "scores" / f"{set_name}.json"
    write_record(file, msgspec.structs.replace(read_record(file, Scores), **changes))
    return run


def test_values_stand_in_the_order_of_the_first_runs_images(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", GOOD)
    turned = {key: values[::-1] for key, values in GOOD.items()}
    other = write_run(tmp_path / "other", turned, images=("three.png", "two.png", "one.png"))
    found = comparable([one, other])
    assert found.images == ("one.png", "two.png", "three.png")
    assert found.runs[1].values("psnr", found.images).tolist() == GOOD["psnr"]
    assert [run.name for run in found.runs] == ["one", "other"]
    assert list(found.metrics) == ["psnr", "lpips"]


def test_takes_the_set_in_common_that_was_written_last(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, GOOD, set_name=common) for name in "ab" for common in ("old",)]
    for run in runs:
        write_run(run, GOOD, set_name="new")
    write_run(runs[0], GOOD, set_name="alone")
    for age, name in enumerate(("alone", "new", "old")):
        for file in tmp_path.glob(f"*/scores/{name}.json"):
            os.utime(file, (1_000_000 - age, 1_000_000 - age))
    assert comparable(runs).runs[0].scores.set == "new"
    assert comparable(runs, "old").runs[1].scores.set == "old"


def test_takes_files_too_and_names_them_after_their_runs(tmp_path: Path) -> None:
    one, other = write_run(tmp_path / "one", GOOD), write_run(tmp_path / "other", GOOD)
    found = comparable([one / "scores" / "kodak.json", other])
    assert [run.name for run in found.runs] == ["one", "other"]


def test_two_files_of_one_run_are_named_after_themselves(tmp_path: Path) -> None:
    run = write_run(write_run(tmp_path / "one", GOOD), GOOD, set_name="kodak-late")
    found = comparable([run / "scores" / "kodak.json", run / "scores" / "kodak-late.json"])
    assert [scored.name for scored in found.runs] == ["kodak", "kodak-late"]


def test_an_archived_run_may_keep_its_scores_beside_its_configuration(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, GOOD) for name in "ab"]
    for run in runs:
        (run / "scores" / "kodak.json").rename(run / "kodak.json")
        (run / "scores").rmdir()
    assert [scored.name for scored in comparable(runs).runs] == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"degradation": "noise(sigma=0.2), seed 0"}, r"a from 'noise\(sigma=0.1\), seed 0', b from .*sigma=0.2"),
        ({"images": ("one.png", "two.png", "four.png")}, r"different images: b has 'four.png', a has not \(2 differ\)"),
        ({"targets": "elsewhere"}, "different targets: a against 'gone', b against 'elsewhere'"),
        (
            {"metrics": METRICS | {"psnr": Metric(label="PSNR", unit="dB", better="higher", protocol="luma")}},
            "psnr was measured in different ways: .*RGB.* for a, .*luma.* for b",
        ),
        (
            {"metrics": METRICS | {"psnr": Metric(label="PSNR", better="lower", protocol="RGB, rounded to 8 bits")}},
            "higher is better, dB.*lower is better",
        ),
        ({"degraded": {"psnr": [20.0, 21.5, 22.0]}}, "psnr of the degraded two.png is 21 and 21.5"),
    ],
)
def test_refuses_other_pictures_and_other_rules(tmp_path: Path, changes: dict, said: str) -> None:
    one = write_run(tmp_path / "a", GOOD, INPUT)
    other = write_run(tmp_path / "b", GOOD, **({"degraded": INPUT} | changes))
    with pytest.raises(RunError, match=said):
        comparable([one, other])


def test_rounding_in_a_score_near_zero_is_no_other_input(tmp_path: Path) -> None:
    sharpness = {"sharpness": Metric(label="Sharpness", better="zero", protocol="")}
    values = {"sharpness": [0.1, 0.2, 0.3]}
    one, rounded, other = (
        write_run(tmp_path / name, values, {"sharpness": [near, 0.2, 0.3]}, metrics=sharpness)
        for name, near in (("a", 2e-6), ("b", -3e-6), ("c", 2e-4))
    )
    assert len(comparable([one, rounded]).runs) == 2
    with pytest.raises(RunError, match="did not restore the same pictures"):
        comparable([one, other])


def test_a_file_that_lies_among_the_runs_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("pdloss evaluate a")
    with pytest.raises(RunError, match=r"run\.sh is no score file"):
        comparable([write_run(tmp_path / "a", GOOD), tmp_path / "run.sh"])


def test_the_targets_hash_decides_where_there_is_one(tmp_path: Path) -> None:
    one = changed(write_run(tmp_path / "a", GOOD), targets_sha256="1" * 64)
    moved = changed(write_run(tmp_path / "b", GOOD, targets="moved"), targets_sha256="1" * 64)
    other = changed(write_run(tmp_path / "c", GOOD), targets_sha256="2" * 64)
    assert len(comparable([one, moved]).runs) == 2
    with pytest.raises(RunError, match="different targets.*other contents"):
        comparable([one, other])


def with_pixels(run: Path, pixels: str, set_name: str = "kodak", **changes: object) -> Path:
    """Gives each image of a run's scores a digest of its target, a letter each."""
    images = read_record(run / "scores" / f"{set_name}.json", Scores).images
    known = [msgspec.structs.replace(i, target_sha256=p) for i, p in zip(images, pixels, strict=True)]
    return changed(run, set_name, images=known, **changes)


def test_images_are_matched_by_their_pixels_whatever_the_set_and_its_files_are_called(tmp_path: Path) -> None:
    one = with_pixels(write_run(tmp_path / "a", GOOD), "xyz")
    names = ("7.tif", "8.tif", "9.tif")
    turned = {key: values[::-1] for key, values in GOOD.items()}
    other = write_run(tmp_path / "b", turned, images=names, set_name="mine", targets="elsewhere")
    found = comparable([one, with_pixels(other, "zyx", "mine")])
    assert found.images == ("one.png", "two.png", "three.png")
    assert found.runs[1].values("psnr", found.images).tolist() == GOOD["psnr"]
    assert found.runs[1].own_names == {"one.png": "9.tif", "two.png": "8.tif", "three.png": "7.tif"}
    assert comparable([one, other], "kodak").runs[1].scores.set == "mine"


def test_equal_names_do_not_hide_other_pixels(tmp_path: Path) -> None:
    one = with_pixels(write_run(tmp_path / "a", GOOD), "xyz")
    other = with_pixels(write_run(tmp_path / "b", GOOD), "xyw")
    with pytest.raises(RunError, match=r"have other pixels \(3 and 3 images, 2 in common\)"):
        comparable([one, other])


def test_of_two_sets_the_one_of_the_same_pixels_is_taken(tmp_path: Path) -> None:
    one = with_pixels(write_run(tmp_path / "a", GOOD), "xyz")
    other = with_pixels(write_run(tmp_path / "b", GOOD, set_name="set5"), "xyz", "set5")
    with_pixels(write_run(other, GOOD), "uvw")
    assert [run.scores.set for run in comparable([one, other]).runs] == ["kodak", "set5"]


def test_two_targets_of_equal_pixels_are_both_matched(tmp_path: Path) -> None:
    runs = [with_pixels(write_run(tmp_path / name, GOOD), "xxy") for name in "ab"]
    assert comparable(runs).runs[1].values("psnr", IMAGES).tolist() == GOOD["psnr"]


def test_scores_of_before_pixels_were_hashed_are_matched_by_name(tmp_path: Path) -> None:
    old, new = write_run(tmp_path / "a", GOOD), with_pixels(write_run(tmp_path / "b", GOOD), "xyz")
    assert len(comparable([old, new]).runs) == 2


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (None, "What b restored from is not known"),
        (
            "jpeg(quality=10)",
            "b is said to restore from 'jpeg(quality=10)', the others from 'noise(sigma=0.1),",
        ),
        ("noise(sigma=0.1)", None),
    ],
)
def test_what_a_method_restored_from_is_said_and_not_guessed(
    tmp_path: Path, said: str | None, note: str | None
) -> None:
    one, other = write_run(tmp_path / "a", GOOD), write_run(tmp_path / "b", GOOD)
    method = Method(name="b", loss="GAN", degradation=said)
    changed(other, method=method, degradation=said or NOT_KNOWN)
    notes = comparable([one, other]).notes
    assert any(text.startswith(note) for text in notes) if note else notes == ()


def test_scores_that_version_0_1_took_of_files_are_of_an_unknown_degradation_and_loss(tmp_path: Path) -> None:
    one, other = write_run(tmp_path / "a", GOOD), changed(write_run(tmp_path / "b", GOOD), degradation=NOT_KNOWN)
    (other / "config.json").unlink()
    found = comparable([other, one])
    assert found.degradation == "noise(sigma=0.1), seed 0"
    assert (found.runs[0].loss, found.runs[0].record) == (None, None)
    assert len(found.notes) == 2


def test_refuses_scores_of_other_weights(tmp_path: Path) -> None:
    runs = []
    for name, sha in (("a", "1"), ("b", "2"), ("c", "")):
        metric = msgspec.structs.replace(METRICS["lpips"], weights={"alexnet": sha} if sha else {})
        runs.append(write_run(tmp_path / name, GOOD, metrics=METRICS | {"lpips": metric}))
    with pytest.raises(RunError, match="lpips was measured with different weights"):
        comparable(runs[:2])
    assert len(comparable([runs[0], runs[2]]).runs) == 2  # records of before the hashes


def test_refuses_scores_of_whole_sets_by_other_rules(tmp_path: Path) -> None:
    runs = []
    for name, size in (("a", 2048), ("b", 768)):
        metric = Metric(label="FID", better="lower", protocol=f"{size} features")
        run = write_run(tmp_path / name, GOOD)
        runs.append(changed(run, set_metrics={"fid": metric}, sets={"fid": SetScore(value=3.0)}))
    with pytest.raises(RunError, match=r"fid was measured .*2048.*768"):
        comparable(runs)


def test_a_metric_that_one_lacks_is_left_out_and_named(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "a", GOOD), write_run(tmp_path / "b", {"psnr": GOOD["psnr"]})]
    found = comparable(runs)
    assert list(found.metrics) == ["psnr"]
    assert found.notes == ("LPIPS is left out: b lacks it for some or all images.",)


def test_a_metric_that_is_not_finite_is_left_out_and_the_image_named(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "a", GOOD), write_run(tmp_path / "b", GOOD | {"psnr": [30.0, float("inf"), 31.0]})]
    found = comparable(runs)
    assert list(found.metrics) == ["lpips"]
    assert found.notes == ("PSNR is left out: it is not finite for two.png of b.",)


def test_refuses_runs_without_a_score_in_common(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / key, {key: GOOD[key]}) for key in GOOD]
    with pytest.raises(RunError, match="no score in common: PSNR is left out: lpips lacks it"):
        comparable(runs)


def test_refuses_one_run_and_the_same_run_twice(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", GOOD)
    with pytest.raises(RunError, match="at least two runs"):
        comparable([run])
    with pytest.raises(RunError, match="given twice"):
        comparable([run, run / ".." / "a" / "scores" / "kodak.json"])


def test_refuses_what_is_missing(tmp_path: Path) -> None:
    run, empty = write_run(tmp_path / "a", GOOD), tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RunError, match="nowhere does not exist"):
        comparable([run, tmp_path / "nowhere"])
    with pytest.raises(RunError, match=r"empty has no scores; run `pdloss evaluate"):
        comparable([run, empty])
    with pytest.raises(RunError, match="no scores of 'set5', only of kodak"):
        comparable([run, write_run(tmp_path / "b", GOOD)], "set5")
    with pytest.raises(RunError, match="no set in common: .*a on kodak; .*c on set14"):
        comparable([run, write_run(tmp_path / "c", GOOD, set_name="set14")])


def test_refuses_scores_of_no_image(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, {"psnr": []}, images=()) for name in "ab"]
    with pytest.raises(RunError, match="holds no image"):
        comparable(runs)


def test_refuses_a_file_of_another_kind(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", GOOD)
    with pytest.raises(RunError, match="is not a Scores"):
        comparable([run / "config.json", run / "scores" / "kodak.json"])
