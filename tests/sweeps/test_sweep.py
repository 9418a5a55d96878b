"""A sweep: its base, its scores, and what is alike in time."""

import pytest

from pdloss.errors import RunError
from pdloss.records import write_record
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import plan_from
from pdloss.sweeps.sweep import alike, alone, evaluations, open_sweep, steps_of
from tests.report.folders import run_record


def plan(folder, train=None, **values):
    base = {
        "out": str(folder),
        "train": {"data": "photos", "steps": 10, **(train or {})},
        "start": {"steps": 40},
        "losses": [{"loss": "l1"}],
    }
    return plan_from(base | values)


def test_axes_may_grow_and_the_base_may_not_change(tmp_path):
    assert len(open_sweep(plan(tmp_path))) == 2
    assert len(open_sweep(plan(tmp_path, axes={"seed": [0, 1]}))) == 3
    with pytest.raises(RunError, match=r"another base: train.batch was 'absent', is 4; train.steps was 10, is 20"):
        open_sweep(plan(tmp_path, {"steps": 20, "batch": 4}))
    assert len(open_sweep(plan(tmp_path, {"steps": "10"}))) == 2  # as an option says it
    with pytest.raises(RunError, match=r"start.steps was 40, is 41"):
        open_sweep(plan(tmp_path, start={"steps": 41}))
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(RunError, match=r"sweep.json is damaged"):
        open_sweep(plan(tmp_path))


def test_a_run_in_the_starts_place_is_taken_up_if_its_options_are_the_plans(tmp_path):
    made = plan(tmp_path, {"batch": "8", "lr": "5e-4"})
    write_record(tmp_path / "start" / "config.json", run_record(steps=40, batch=8, lr=5e-4))
    assert len(open_sweep(made)) == 2
    write_record(tmp_path / "start" / "config.json", run_record(steps=41, batch=8, lr=1e-4))
    with pytest.raises(RunError, match="not the start of this plan: steps is 41, not 40; lr is 0.0001, not '5e-4'"):
        open_sweep(made)


def test_two_sweeps_in_one_folder_do_not_work_at_once(tmp_path):
    first, second = alone(plan(tmp_path / "runs")), alone(plan(tmp_path / "runs"))
    with first, pytest.raises(RunError, match=r"another sweep is at work in .*runs; wait for it"), second:
        pass
    with alone(plan(tmp_path / "runs")):
        pass


def test_all_runs_of_a_task_are_scored_by_one_call(tmp_path):
    made = plan(
        tmp_path, axes={"task": ["sr", "jpeg"], "seed": [0, 1]}, evaluate={"data": ["a", "b"], "metrics": "psnr"}
    )
    calls = evaluations(made, jobs_of(made))
    assert [call[0] for call in calls] == ["evaluate"] * 2
    assert [len([word for word in call if word.startswith(str(tmp_path))]) for call in calls] == [3, 3]
    assert calls[0][-5:] == ["--data", "a", "b", "--metrics", "psnr"]
    assert evaluations(plan(tmp_path), jobs_of(made)) == []


def test_folders_with_metrics_of_their_own_are_scored_by_a_call_each(tmp_path):
    evaluate = {"data": ["a", "b"], "set": ["one", "two"], "metrics": ["psnr", "psnr,dists"]}
    made = plan(tmp_path, axes={"seed": [0, 1]}, evaluate=evaluate)
    calls = evaluations(made, jobs_of(made))
    assert [call[-6:] for call in calls] == [
        ["--data", "a", "--set", "one", "--metrics", "psnr"],
        ["--data", "b", "--set", "two", "--metrics", "psnr,dists"],
    ]


def test_trainings_that_differ_in_weight_and_seed_alone_take_equally_long(tmp_path):
    losses = [{"loss": "l1 + {weight}*pdl", "weight": [0.1, 0.2]}, {"loss": "l1"}]
    made = [job for job in jobs_of(plan(tmp_path, losses=losses, axes={"seed": [0, 1]})) if job.kind == "run"]
    assert len({alike(job) for job in made}) == 2
    losses += [{"loss": "l1 + {weight}*pdl(features='steerable',  p=1)", "weight": [3]}]
    losses += [{"loss": "0.1*pdl( p=1, features='steerable') +l1"}]
    made = [job for job in jobs_of(plan(tmp_path, losses=losses)) if job.kind == "run"]
    assert len({alike(job) for job in made}) == 3
    assert steps_of(made[0]) == 10
