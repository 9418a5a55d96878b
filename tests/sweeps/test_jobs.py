"""Jobs: which trainings a plan means, and names that stay."""

from pathlib import Path

from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import plan_from

BASE = {"out": "runs", "train": {"data": "photos", "steps": 10}, "start": {"steps": 40}}
PDL, PERCEPTUAL = "l1 + {weight}*pdl", "l1 + {weight}*perceptual"


def jobs(**values):
    return {job.name: job for job in jobs_of(plan_from(BASE | values))}


def test_every_combination_is_a_run_and_they_share_one_start_for_all_seeds():
    made = jobs(losses=[{"loss": "l1"}, {"loss": PDL, "weight": [0.1, 0.2]}], axes={"seed": [0, 1]})
    runs = [job for job in made.values() if job.kind == "run"]
    assert len(made) == 1 + 3 * 2
    assert {(job.options["seed"], job.options["loss"]) for job in runs} == {
        (seed, loss) for seed in (0, 1) for loss in ("l1", "l1 + 0.1*pdl", "l1 + 0.2*pdl")
    }
    start = made["start"]
    assert start.options == {"data": "photos", "steps": 40, "loss": "l1"}
    assert all(job.after == (start,) and job.options["init"] == Path("runs/start") for job in runs)


def test_tasks_and_networks_have_a_start_each():
    made = jobs(losses=[{"loss": "l1"}], axes={"task": ["denoise", "sr"], "seed": [0, 1]})
    starts = [job for job in made.values() if job.kind == "start"]
    assert [job.options["task"] for job in starts] == ["denoise", "sr"]
    for job in made.values():
        assert all(before.options["task"] == job.options["task"] for before in job.after)


def test_a_loss_is_calibrated_once_for_all_shares_and_seeds():
    made = jobs(losses=[{"loss": PDL, "share": [0.3, 0.6], "weight": [0.1]}], axes={"seed": [0, 1, 2]})
    calibrations = [job for job in made.values() if job.kind == "calibration"]
    assert [(job.name, job.options["share"], job.options["loss"]) for job in calibrations] == [
        ("calibration-l1+pdl", 0.5, "l1 + pdl")
    ]
    of_shares = [job for job in made.values() if job.calibration]
    assert len(of_shares) == 2 * 3
    assert all("{weight}" in job.options["loss"] for job in of_shares)
    assert sorted(job.share for job in of_shares) == [0.3] * 3 + [0.6] * 3


def test_a_term_in_the_middle_is_calibrated_beside_the_first_alone():
    made = jobs(losses=[{"loss": "2*l1 + {weight}*pdl(p=2) + 0.5*phase", "share": [0.3]}])
    (calibration,) = (job for job in made.values() if job.kind == "calibration")
    assert calibration.options["loss"] == "2*l1 + pdl(p=2)"


def test_names_stay_when_values_are_added():
    few = jobs(losses=[{"loss": PDL, "weight": [0.1]}], axes={"seed": [0]})
    more = jobs(losses=[{"loss": PDL, "weight": [0.05, 0.1]}, {"loss": "l1"}], axes={"seed": [1, 0]})
    assert set(few) < set(more)
    for name, job in few.items():
        assert more[name].options == job.options


def test_seeds_of_one_loss_stand_behind_every_row_and_keep_the_names_of_the_first():
    base = {"losses": [{"loss": PDL, "weight": [0.1]}, {"loss": "l1"}]}
    seeded = {"losses": [{"loss": PDL, "weight": [0.1], "seed": [0, 1, 2]}, {"loss": "l1"}]}
    names = list(jobs(**seeded))
    assert names == [*jobs(**base), "l1+pdl-w0.1-seed1", "l1+pdl-w0.1-seed2"]
    assert [job.options.get("seed") for job in jobs(**seeded).values()] == [None, None, None, 1, 2]
    assert list(jobs(**seeded, train={"data": "p", "seed": 2}))[-2:] == ["l1+pdl-w0.1-seed1", "l1+pdl-w0.1"]


def test_losses_that_look_alike_have_folders_of_their_own():
    features = ["vgg16.relu4_3", "vgg16.relu3_3", "vgg16.relu4_3+relu3_3"]
    losses = [{"loss": f"l1 + {{weight}}*pdl(features='{f}', p={p})", "weight": [1]} for f in features for p in (1, 2)]
    made = jobs(losses=[*losses, {"loss": PERCEPTUAL, "weight": [1]}])
    assert len({job.folder for job in made.values()}) == len(losses) + 2
    assert all(len(name) < 130 and "/" not in name and " " not in name for name in made)


def test_without_a_start_runs_stand_alone():
    made = jobs_of(plan_from({"out": "r", "train": {"data": "p"}, "losses": [{"loss": "l1"}]}))
    assert [(job.name, job.after, "init" in job.options) for job in made] == [("l1", (), False)]
