"""The worker: one job by its name, out of the sweep's folder alone."""

import json

import pytest

from pdloss.sweeps import work, worker
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import KEPT, keep_plan, kept_plan, plan_from

PLAN = {
    "train": {"data": "photos", "steps": 10},
    "start": {"steps": 40},
    "losses": [{"loss": "l1", "seed": [0, 1]}, {"loss": "l1 + {weight}*pdl", "weight": [0.1], "share": [0.5]}],
    "axes": {"task": ["denoise", "sr"]},
    "evaluate": {"data": ["a"]},
}


@pytest.fixture
def plan(tmp_path):
    made = plan_from({**PLAN, "out": str(tmp_path / "runs")})
    keep_plan(made)
    return made


def test_a_plan_that_was_kept_is_the_same(plan):
    assert kept_plan(plan.out) == plan
    assert jobs_of(kept_plan(plan.out)) == jobs_of(plan)


def test_does_the_job_of_that_name_and_tries_a_crash_again(plan, monkeypatch, capsys):
    ends = [-9, 0]
    asked = []

    def done_here(job, command, logs, environment):
        asked.append((job.name, command, logs))
        return ends.pop(0), ""

    monkeypatch.setattr(worker, "done_here", done_here)
    assert worker.main([str(plan.out), "denoise-l1", "--processes", "3"]) == 0
    job = next(job for job in jobs_of(plan) if job.name == "denoise-l1")
    assert asked == [("denoise-l1", work.command(job, 3), plan.out / "logs")] * 2


@pytest.mark.parametrize(("status", "tries"), [(1, 1), (130, 1), (-9, 3)])
def test_what_fails_every_time_or_by_the_users_mistake_ends(plan, monkeypatch, capsys, status, tries):
    asked = []
    monkeypatch.setattr(worker, "done_here", lambda *_: asked.append(1) or (status, "the disk is full"))
    assert worker.main([str(plan.out), "sr-l1"]) == status
    assert len(asked) == tries
    assert capsys.readouterr().err == "pdloss: sr-l1: the disk is full\n"


def test_what_is_done_is_not_done_again_and_slips_are_named(plan, monkeypatch, capsys):
    monkeypatch.setattr(worker, "done_here", lambda *_: 1 / 0)
    weights = plan.out / "sr-l1" / "weights" / "000000010.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert worker.main([str(plan.out), "sr-l1"]) == 0
    assert worker.main([str(plan.out), "sr-l2"]) == 1
    assert "has no job 'sr-l2'; did you mean 'sr-l1'?" in capsys.readouterr().err
    assert worker.main([str(plan.out / "nowhere"), "a"]) == 1
    assert "is not the folder of a sweep" in capsys.readouterr().err
    for content in ("{", "[]", json.dumps({"losses": [3]})):
        (plan.out / KEPT).write_text(content)
        assert worker.main([str(plan.out), "a"]) == 1
        assert "is damaged" in capsys.readouterr().err
