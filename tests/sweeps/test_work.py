"""Jobs as commands."""

import shlex

import pytest

from pdloss.errors import RunError
from pdloss.sweeps import work
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import plan_from

LOSS = "l1 + {weight}*pdl(features='steerable')"


@pytest.fixture
def jobs(tmp_path):
    base = {
        "out": str(tmp_path),
        "train": {"data": "my photos", "compile": True, "skip_damaged": False},
        "start": {},
        "losses": [{"loss": LOSS, "share": [0.5, 0.75], "weight": [0.01]}],
    }
    return jobs_of(plan_from(base))


def test_options_are_typed_as_a_person_would(jobs, tmp_path):
    start, _, weighted, *_ = jobs
    words = ["train", "--data", "my photos", "--compile", "--no-skip-damaged", "--loss", "l1"]
    assert work.arguments(start) == [*words, "--out", str(tmp_path / "start")]
    assert work.arguments(weighted)[6] == "l1 + 0.01*pdl(features='steerable')"
    assert shlex.split(work.shown(weighted)) == ["pdloss", *work.arguments(weighted)]


def test_a_run_waits_for_its_calibration_and_takes_the_loss_that_it_printed(jobs):
    _, calibration, _, shared, more = jobs
    assert work.arguments(calibration)[:1] == ["calibrate"]
    assert "l1 + pdl(features='steerable')" in work.arguments(calibration)
    with pytest.raises(RunError, match="is not there yet"):
        work.arguments(shared)
    work.keep_calibrated_loss(calibration, "a table\n\nl1 + 0.125*pdl(features='steerable')\n")
    assert "l1 + 0.125*pdl(features='steerable')" in work.arguments(shared)
    # Three times the weight pulls three times as hard: three quarters where it was half.
    assert "l1 + 0.375*pdl(features='steerable')" in work.arguments(more)
    assert LOSS in shlex.split(work.shown(shared))


def test_several_processes_of_one_training_are_started_by_torchrun(jobs):
    start, calibration, *_ = jobs
    words = work.command(start, 2)
    assert words[1:7] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    assert words[7:] == ["pdloss", *work.arguments(start)]
    assert work.command(calibration, 2) == [*work.PROGRAM, *work.arguments(calibration)]
    assert work.command(start) == [*work.PROGRAM, *work.arguments(start)]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"loss": 3}', '{"loss": "l1 +"}', '{"loss": ""}'])
def test_a_damaged_calibration_is_named(jobs, content):
    _, calibration, _, shared, _ = jobs
    calibration.folder.parent.mkdir()
    calibration.folder.write_text(content)
    with pytest.raises(RunError, match="is no result of a calibration; remove it"):
        work.arguments(shared)
    with pytest.raises(RunError, match="printed no loss"):
        work.keep_calibrated_loss(calibration, "\n")
