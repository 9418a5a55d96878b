"""Which runs may be compared, and what is said of those that may not."""

import os
from pathlib import Path

import msgspec
import pytest

from pdloss.errors import RunError, UserError
from pdloss.records import Metric, Scores, SetScore, read_record, write_record
from pdloss.report.sources import read_comparison
from tests.report.folders import LPIPS, PSNR, write_run

THREE = {"psnr": [30.0, 31.0, 32.0]}
KID = {"kid": Metric(label="KID", better="lower", protocol="Inception")}


def test_lines_up_images_that_were_scored_in_another_order(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", {"psnr": [1.0, 2.0, 3.0]}, images=("three.png", "one.png", "two.png"))
    comparison = read_comparison([first, second])
    assert comparison.images == ("one.png", "two.png", "three.png")
    assert comparison.restored(comparison.runs[1], "psnr").tolist() == [2.0, 3.0, 1.0]


def test_one_run_is_read_by_folder_or_by_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    for path in (run, run / "scores" / "kodak.json"):
        comparison = read_comparison([path])
        assert (comparison.set, comparison.runs[0].name, comparison.tested) == ("kodak", "a", None)
        assert comparison.means("psnr") == [31.0]


def test_archived_runs_keep_their_scores_beside_their_configuration(tmp_path: Path) -> None:
    for name in "ab":
        run = write_run(tmp_path / name, THREE)
        (run / "scores" / "kodak.json").rename(run / "kodak.json")
        (run / "scores").rmdir()
    assert read_comparison([tmp_path / "a"]).set == "kodak"
    both = read_comparison([tmp_path / "a", tmp_path / "b"])
    assert [run.name for run in both.runs] == ["a", "b"]
    assert both.runs[1].folder == tmp_path / "b"


@pytest.mark.parametrize("count", [1, 2])
def test_refuses_a_missing_folder_and_one_without_scores(tmp_path: Path, count: int) -> None:
    others = [write_run(tmp_path / "fine", THREE)][: count - 1]
    with pytest.raises(RunError, match=r"nowhere does not exist; give"):
        read_comparison([*others, tmp_path / "nowhere"])
    (tmp_path / "fresh").mkdir()
    with pytest.raises(RunError, match=r"no scores; run `pdloss evaluate .*fresh --data FOLDER` first"):
        read_comparison([*others, tmp_path / "fresh"])


def test_refuses_no_run_and_the_same_run_twice(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="at least one"):
        read_comparison([])
    run = write_run(tmp_path / "a", THREE)
    with pytest.raises(RunError, match="given twice"):
        read_comparison([run, tmp_path / "." / "a"])


def test_scores_without_a_configuration_are_of_an_unknown_training(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    (run / "config.json").unlink()
    comparison = read_comparison([run, write_run(tmp_path / "b", THREE)])
    assert (comparison.runs[0].record, comparison.runs[0].loss) == (None, None)
    assert "The loss that a was trained with is not known." in comparison.notes


def test_takes_the_set_written_last_unless_told_otherwise(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, THREE) for name in "ab"]
    for run in runs:
        write_run(run, {"psnr": [1.0, 2.0, 3.0]}, set_name="set5")
        os.utime(run / "scores" / "kodak.json", (1e9, 1e9))
    for chosen in (runs, runs[:1]):
        assert read_comparison(chosen).set == "set5"
        assert read_comparison(chosen, "kodak").means("psnr")[0] == 31.0
        with pytest.raises(RunError, match=r"a has no scores of 'bsd', only of kodak, set5"):
            read_comparison(chosen, "bsd")


def test_names_the_sets_when_none_is_in_common(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "a", THREE), write_run(tmp_path / "b", THREE, set_name="set5")
    with pytest.raises(RunError, match=r"no set in common: .*a on kodak; .*b on set5"):
        read_comparison([first, second])


def test_overlooks_the_temporary_file_of_a_killed_evaluation(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    (run / "scores" / ".set5.json.x1.json").write_text("{")
    assert read_comparison([run]).set == "kodak"


def test_refuses_runs_scored_on_different_images(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", {"psnr": [30.0]}, images=("one.png",))
    with pytest.raises(RunError, match=r"different images: a has 'three.png', b has not \(2 differ\)"):
        read_comparison([first, second])


def test_refuses_runs_scored_on_no_image(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no image"):
        read_comparison([write_run(tmp_path / "a", THREE, images=())])


def test_refuses_runs_that_restored_different_degradations(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, THREE, degradation=f"noise, seed {name}") for name in "ab"]
    with pytest.raises(RunError, match=r"different degradations: a from 'noise, seed a', b from 'noise, seed b'"):
        read_comparison(runs)


@pytest.mark.parametrize("change", [{"protocol": "luma"}, {"better": "lower"}, {"unit": ""}])
def test_refuses_scores_measured_in_different_ways(tmp_path: Path, change: dict[str, str]) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", THREE, metrics={"psnr": msgspec.structs.replace(PSNR, **change)})
    with pytest.raises(RunError, match="psnr was measured in different ways: 'RGB, rounded to 8 bits"):
        read_comparison([first, second])


def test_leaves_out_a_metric_that_one_run_lacks_and_says_so(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", {**THREE, "lpips": [0.1, 0.2, 0.3]})
    comparison = read_comparison([first, write_run(tmp_path / "b", THREE)])
    assert list(comparison.metrics) == ["psnr"]
    assert comparison.notes[0] == "LPIPS is left out: b lacks it for some or all images."


def test_refuses_runs_without_a_score_in_common(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", {"lpips": [0.1, 0.2, 0.3]}, metrics={"lpips": LPIPS})
    with pytest.raises(RunError, match="no score in common"):
        read_comparison([first, second])


def test_says_when_a_run_was_scored_before_its_end(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE, step=5000, steps=20000)
    assert read_comparison([run]).notes == ("a was scored after 5,000 of 20,000 steps.",)


def test_an_input_that_was_not_scored_has_no_values(tmp_path: Path) -> None:
    comparison = read_comparison([write_run(tmp_path / "a", THREE)])
    assert comparison.degraded("psnr") is None


def test_a_score_of_the_set_is_kept_even_if_one_run_lacks_it(tmp_path: Path) -> None:
    score = SetScore(value=0.02, error=0.004, note="few images")
    first = write_run(tmp_path / "a", THREE, set_metrics=KID, sets={"kid": score})
    comparison = read_comparison([first, write_run(tmp_path / "b", THREE)])
    assert comparison.means("kid") == [0.02, None]
    assert comparison.metric("kid") == KID["kid"]
    assert comparison.of_set(comparison.runs[0], "kid") == score
    assert comparison.of_set(None, "kid") is None


def test_a_set_that_is_called_by_a_path_leads_to_no_picture_outside_the_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    file = run / "scores" / "kodak.json"
    write_record(file, msgspec.structs.replace(read_record(file, Scores), set="../../elsewhere"))
    (only,) = read_comparison([run]).runs
    with pytest.raises(UserError, match="the set '../../elsewhere' is not one name inside"):
        only.picture("restored", "one.png")
