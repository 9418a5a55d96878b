"""The paper's tables as plans: what ships can be trained, and says what the paper says."""

from pathlib import Path

import pytest

from pdloss.degradations import DEGRADATIONS
from pdloss.errors import SpecError
from pdloss.losses import LOSSES
from pdloss.losses.projected import MultilayerPDL
from pdloss.metrics import METRICS
from pdloss.metrics.sets import SET_METRICS
from pdloss.networks import NETWORKS
from pdloss.report.paper import paper_tables
from pdloss.specs.trust import TYPED
from pdloss.sweeps import reproduction
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import PLACE
from pdloss.sweeps.reproduction import TRAINED, paper_plan
from pdloss.sweeps.sweep import open_sweep, progress_of
from pdloss.training.configuration import CalibrateConfig, TrainConfig
from pdloss.training.recipes import BUDGETS


def plan(table, budget="cpu"):
    return paper_plan(table, budget, "photos", Path("runs"), [Path("kodak24")])


def printed(table):
    """The paper's rows of trained networks: loss and weight."""
    tables = [t for task in ("denoise", "sr", "deblur", "jpeg") for t in paper_tables(task)]
    (found,) = (t for t in tables if t.number == {2: "II", 4: "IV", 6: "VI", 7: "VII", 8: "VIII"}[int(table[-1])])
    return [(row.loss, row.weight) for row in found.rows if row.loss not in ("reference", "input")]


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("table", TRAINED)
def test_every_run_of_every_budget_is_one_that_train_accepts(table, budget):
    for job in jobs_of(plan(table, budget)):
        options = {**job.options, "loss": job.options["loss"].replace(PLACE, "0.1")}
        if job.kind == "calibration":
            CalibrateConfig(**{**options, "share": (options["share"],)}).validate()
        else:
            TrainConfig(**options, out=job.folder).validate()
        LOSSES.parse_sum(options["loss"], TYPED)
        if "network" in options:
            NETWORKS.parse(options["network"], TYPED)
        if "degradation" in options:
            DEGRADATIONS.parse_chain(options["degradation"], TYPED)


@pytest.mark.parametrize("table", TRAINED)
def test_every_loss_of_the_papers_table_is_trained_and_the_default_beside_it(table):
    ours = {axis.name.replace("PDL-identity", "PDL") for axis in plan(table).losses}
    theirs = {loss.replace("PDL-identity", "PDL") for loss, _ in printed(table)}
    assert theirs - ours == set()
    extra = {name for name in ours - theirs if not name.startswith("recommended")}
    assert extra <= {"no-perceptual"}
    assert any(name.startswith("recommended") for name in ours) == (table != "table8")


def test_the_weights_of_table_2_are_those_that_are_printed():
    made = {(axis.name, weight) for axis in plan("table2").losses for weight in axis.weights}
    assert made == {(loss, float(weight)) for loss, weight in printed("table2") if weight}


@pytest.mark.parametrize("table", [table for table in TRAINED if table not in ("table2", "table8")])
def test_where_the_papers_weights_are_lost_every_loss_pulls_alike_at_two_shares(table):
    shares: dict[str, set[float]] = {}
    for axis in plan(table).losses:
        if PLACE in axis.loss:
            shares.setdefault(axis.name, set()).update(axis.shares)
    assert len(shares) >= 4
    assert set(map(frozenset, shares.values())) == {frozenset({0.5, 0.85})}


@pytest.mark.parametrize("table", TRAINED)
def test_what_the_verdict_rests_on_is_trained_from_three_seeds(table):
    seeds = {axis.name for axis in plan(table).losses if axis.seeds}
    assert {"PDL"} < seeds
    assert {len(axis.seeds) for axis in plan(table).losses if axis.seeds} == {3}


def test_tables_of_one_task_share_their_start_and_the_runs_that_both_have():
    second, eighth = ({job.name: job for job in jobs_of(plan(table))} for table in ("table2", "table8"))
    assert second["start"] == eighth["start"]
    for weight in ("0.001", "0.005", "0.01", "0.02"):
        assert second[f"PDL-w{weight}"] == eighth[f"PDL-w{weight}"]
    assert second.keys() & eighth.keys() >= {"start", "no-perceptual"}
    for name in second.keys() & eighth.keys():
        assert second[name].options == eighth[name].options


def test_tables_of_one_task_are_trained_one_after_the_other_in_one_folder_and_what_both_have_once(tmp_path):
    def opened(table):
        return {job.name: job for job in open_sweep(paper_plan(table, "cpu", "photos", tmp_path, [Path("kodak24")]))}

    second = opened("table2")
    for job in second.values():
        weights = job.folder / "weights" / f"{job.options['steps']:09d}.safetensors"
        weights.parent.mkdir(parents=True)
        weights.touch()
    left = {name for name, job in opened("table8").items() if not progress_of(job).done}
    seeds = {"PDL-w0.005-seed1", "PDL-w0.005-seed2"}  # table II has those of another weight
    drawn = {name for name in opened("table8") if name.startswith(("PDL-pairs", "PDL-perturbed", "PDL-sphere"))}
    assert left == seeds | drawn
    assert all(progress_of(job).done for job in opened("table2").values())


def test_the_start_is_4000_steps_of_l1_and_the_runs_go_on_from_it():
    start, *others = jobs_of(plan("table4"))
    assert (start.options["steps"], start.options["lr"], start.options["batch"]) == (4000, 5e-4, 8)
    assert start.folder == Path("runs/sr/start")
    assert {job.options["init"] for job in others} == {start.folder}
    assert {(job.options["steps"], job.options["batch"]) for job in others if job.kind == "run"} == {(300, 2)}


def test_metrics_are_known_and_the_judges_see_one_set_where_there_is_no_gpu():
    assert {*reproduction.METRICS, *reproduction.JUDGES} <= METRICS.keys() | SET_METRICS.keys()
    sets = [Path("kodak24"), Path("set14")]
    short = ",".join(reproduction.METRICS)
    whole = ",".join((*reproduction.METRICS, *reproduction.JUDGES))
    plans = {budget: paper_plan("table2", budget, "photos", Path("runs"), sets) for budget in BUDGETS}
    asked = {budget: plans[budget].evaluate["metrics"] for budget in BUDGETS}
    assert asked == {"cpu": [short, whole], "halfhour": whole, "day": whole}
    assert plan("table2").evaluate["metrics"] == whole


def test_another_default_loss_is_another_run(monkeypatch):
    before = {job.name for job in jobs_of(plan("table2"))}
    monkeypatch.setattr(TrainConfig, "loss", "l1 + 0.1*pdl(features='steerable')")
    (new,) = {job.name for job in jobs_of(plan("table2"))} - before
    assert new.startswith("recommended-")
    monkeypatch.undo()
    written = {job.name for job in jobs_of(plan("table2"))}
    monkeypatch.setattr(MultilayerPDL, "in_full", lambda self: "multilayer_pdl(samples=255)")
    assert len({job.name for job in jobs_of(plan("table2"))} - written) == 1, "of the same text"


@pytest.mark.parametrize("name", reproduction.JUDGED)
def test_the_runs_that_people_are_to_judge_are_among_those_that_are_trained(name):
    _, table, task, runs = reproduction.JUDGED[name]
    made = {job.name: job for job in jobs_of(plan(table))}
    assert set(runs) <= set(made)
    assert {made[run].folder.parent.name for run in runs} == {task}


def test_an_unknown_table_or_budget_is_named_with_the_near_word():
    with pytest.raises(SpecError, match="'tabel2'; did you mean 'table2'"):
        plan("tabel2")
    with pytest.raises(SpecError, match="'halfour'; did you mean 'halfhour'"):
        plan("table2", "halfour")
