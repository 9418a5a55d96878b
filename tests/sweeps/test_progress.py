"""How far a run is, read from what trainings write."""

import json

import pytest

from pdloss.sweeps.jobs import Job
from pdloss.sweeps.progress import progress


@pytest.fixture
def job(tmp_path):
    return Job("a", "run", {}, tmp_path / "a")


def logged(job, *steps, tail=""):
    job.folder.mkdir(exist_ok=True)
    lines = [json.dumps({"step": step, "seconds": step / 2}) for step in steps]
    (job.folder / "log.jsonl").write_text("\n".join([*lines, tail]))


def test_a_run_that_never_began_stands_at_zero(job):
    assert progress(job, 100).step == 0
    assert progress(job, 100).seconds_left is None


def test_the_last_whole_line_of_the_log_counts(job):
    logged(job, 10, 20, tail='{"step": 30, "sec')
    so_far = progress(job, 100)
    assert (so_far.step, so_far.seconds, so_far.done) == (20, 10.0, False)
    assert so_far.seconds_left == 40.0


def test_only_the_last_weights_make_a_run_done(job):
    logged(job, 100)
    assert not progress(job, 100).done
    (job.folder / "weights").mkdir()
    (job.folder / "weights" / "000000100.safetensors").touch()
    assert progress(job, 100).done
    assert not progress(job, 200).done  # as long as the plan says, and not as it was


def test_a_calibration_is_done_when_its_file_is_there(tmp_path):
    job = Job("c", "calibration", {}, tmp_path / "c.json")
    assert not progress(job, 5).done
    job.folder.touch()
    assert progress(job, 5).done


def test_what_was_last_measured_is_shown(job):
    job.folder.mkdir()
    lines = [
        {"step": 1, "seconds": 1, "total": 0.051234},
        {"step": 2, "seconds": 2, "total": 1, "valid": {"psnr": 28.123}},
    ]
    (job.folder / "log.jsonl").write_text(json.dumps(lines[0]))
    assert progress(job, 9).last == "loss 0.05123"
    (job.folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert progress(job, 9).last == "28.12 dB"
