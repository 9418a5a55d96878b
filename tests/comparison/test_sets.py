"""Which set of pictures runs have in common: that of the same targets, whatever it is called."""

from pathlib import Path

import pytest

from pdloss.comparison.sets import chosen_files, matched_names, score_files
from pdloss.errors import RunError
from pdloss.records import ImageScores, Scores
from tests.report.folders import write_run

VALUES = {"psnr": [30.0, 31.0, 32.0]}


def scores(hashes: dict[str, str | None]) -> Scores:
    images = [ImageScores(name=name, restored={}, degraded={}, target_sha256=pixels) for name, pixels in hashes.items()]
    return Scores(run="r", set="s", targets="", step=1, degradation="", metrics={}, images=images, seconds=0.0)


def test_images_are_matched_by_their_pixels_and_equal_ones_by_their_names() -> None:
    first = scores({"a": "x", "b": "y", "c": "y"})
    assert matched_names(first, scores({"1": "y", "2": "x", "3": "y"})) == {"2": "a", "1": "b", "3": "c"}
    assert matched_names(first, scores({"1": "y", "2": "x", "3": "x"})) is None
    assert matched_names(first, scores({"1": "y", "2": "x", "3": None})) is None


def test_where_pixels_are_not_known_the_name_of_the_set_decides(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", VALUES, set_name="kodak")
    other = write_run(write_run(tmp_path / "other", VALUES, set_name="kodak"), VALUES, set_name="set14")
    assert chosen_files([one, other], None) == [run / "scores" / "kodak.json" for run in (one, other)]
    with pytest.raises(RunError, match="one has no scores of 'set14', only of kodak"):
        chosen_files([one, other], "set14")
    with pytest.raises(RunError, match="was given twice"):
        chosen_files([one, one], None)


def test_what_holds_no_scores_is_answered_with_what_to_do(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs" / "one", VALUES)
    with pytest.raises(RunError, match=f"is no run folder; the runs in it are {run}"):
        score_files(tmp_path / "runs")
    (run / "scores" / "kodak.json").unlink()
    with pytest.raises(RunError, match="run `pdloss evaluate .* --data FOLDER` first"):
        score_files(run)
    with pytest.raises(RunError, match="does not exist"):
        score_files(tmp_path / "none")
