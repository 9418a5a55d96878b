"""Which runs may be compared, and what is said of those that may not."""

from pathlib import Path

import msgspec
import pytest

from pdloss.errors import RunError
from pdloss.report.sources import read_comparison, run_names
from tests.report.folders import LPIPS, PSNR, write_run

THREE = {"psnr": [30.0, 31.0, 32.0]}


def test_lines_up_images_that_were_scored_in_another_order(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", {"psnr": [1.0, 2.0, 3.0]}, images=("three.png", "one.png", "two.png"))
    comparison = read_comparison([first, second])
    assert comparison.images == ("one.png", "two.png", "three.png")
    assert comparison.restored(comparison.runs[1], "psnr").tolist() == [2.0, 3.0, 1.0]


def test_names_runs_by_their_folders_with_as_many_parents_as_tell_them_apart(tmp_path: Path) -> None:
    assert run_names([tmp_path / "x", tmp_path / "y"]) == ["x", "y"]
    assert run_names([Path("a/b/last"), Path("c/b/last"), Path("c/d/other")]) == ["a/b/last", "c/b/last", "c/d/other"]


def test_refuses_a_missing_folder_and_one_without_scores(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere is not a folder"):
        read_comparison([tmp_path / "nowhere"])
    (tmp_path / "fresh").mkdir()
    with pytest.raises(RunError, match=r"no scores; run `pdloss evaluate .*fresh --data FOLDER` first"):
        read_comparison([tmp_path / "fresh"])


def test_refuses_no_run_and_the_same_run_twice(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="at least one"):
        read_comparison([])
    run = write_run(tmp_path / "a", THREE)
    with pytest.raises(RunError, match="given twice"):
        read_comparison([run, tmp_path / "." / "a"])


def test_refuses_a_folder_with_scores_but_no_configuration(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    (run / "config.json").unlink()
    with pytest.raises(RunError, match=r"config\.json does not exist"):
        read_comparison([run])


def test_takes_the_only_set_in_common(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "a", THREE), write_run(tmp_path / "b", THREE)
    write_run(second, THREE, set_name="set5")
    assert read_comparison([first, second]).set == "kodak"


def test_asks_for_the_set_when_several_are_in_common(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    write_run(run, {"psnr": [1.0, 2.0, 3.0]}, set_name="set5")
    with pytest.raises(RunError, match="choose one with --set, from kodak, set5"):
        read_comparison([run])
    chosen = read_comparison([run], "set5")
    assert chosen.restored(chosen.runs[0], "psnr").tolist() == [1.0, 2.0, 3.0]


def test_names_the_sets_when_none_is_in_common_or_the_chosen_one_is_missing(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "a", THREE), write_run(tmp_path / "b", THREE, set_name="set5")
    with pytest.raises(RunError, match=r"no set in common: .*a on kodak; .*b on set5"):
        read_comparison([first, second])
    with pytest.raises(RunError, match=r"b has no scores of 'kodak', only of set5"):
        read_comparison([first, second], "kodak")


def test_overlooks_the_temporary_file_of_a_killed_evaluation(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE)
    (run / "scores" / ".set5.json.x1.json").write_text("{")
    assert read_comparison([run]).set == "kodak"


def test_refuses_runs_scored_on_different_images(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", {"psnr": [30.0]}, images=("one.png",))
    with pytest.raises(RunError, match=r"different images: a has 'three.png', b has not \(2 differ\)"):
        read_comparison([first, second])
    with pytest.raises(RunError, match=r"different images: a has 'three.png', b has not"):
        read_comparison([second, first])


def test_refuses_runs_scored_on_no_image(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="scored on no image"):
        read_comparison([write_run(tmp_path / "a", THREE, images=())])


def test_refuses_runs_that_restored_different_degradations(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, THREE, degradation=f"noise, seed {name}") for name in "ab"]
    with pytest.raises(RunError, match=r"different degradations: a from 'noise, seed a', b from 'noise, seed b'"):
        read_comparison(runs)


@pytest.mark.parametrize("change", [{"protocol": "luma"}, {"better": "lower"}, {"unit": ""}])
def test_refuses_scores_measured_in_different_ways(tmp_path: Path, change: dict[str, str]) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", THREE, metrics={"psnr": msgspec.structs.replace(PSNR, **change)})
    with pytest.raises(RunError, match="psnr was measured in different ways: 'RGB, rounded to 8 bits' for a"):
        read_comparison([first, second])


def test_leaves_out_a_metric_that_one_run_lacks_and_says_so(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", {**THREE, "lpips": [0.1, 0.2, 0.3]})
    comparison = read_comparison([first, write_run(tmp_path / "b", THREE)])
    assert list(comparison.metrics) == ["psnr"]
    assert comparison.notes == ("LPIPS is left out: b lacks it for some or all images.",)


def test_refuses_runs_without_a_score_in_common(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE)
    second = write_run(tmp_path / "b", {"lpips": [0.1, 0.2, 0.3]}, metrics={"lpips": LPIPS})
    with pytest.raises(RunError, match="no score in common"):
        read_comparison([first, second])


def test_says_when_the_inputs_were_not_the_same(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", THREE, {"psnr": [20.0, 20.0, 20.0]})
    close = write_run(tmp_path / "b", THREE, {"psnr": [20.0, 20.0, 20.00001]})
    apart = write_run(tmp_path / "c", THREE, {"psnr": [20.0, 20.0, 20.5]})
    assert read_comparison([first, close]).notes == ()
    (note,) = read_comparison([first, apart]).notes
    assert note.startswith("a and c did not restore the same")
    assert note.endswith("three.png is 20 and 20.5.")


def test_says_when_a_run_was_scored_before_its_end(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", THREE, step=5000, steps=20000)
    assert read_comparison([run]).notes == ("a was scored after 5,000 of 20,000 steps.",)


def test_an_input_that_was_not_scored_has_no_values(tmp_path: Path) -> None:
    comparison = read_comparison([write_run(tmp_path / "a", THREE)])
    assert comparison.degraded("psnr") is None
