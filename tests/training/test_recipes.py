"""Recipes and budgets: options that can be trained with."""

from pathlib import Path

import pytest

from pdloss import degradations, losses, networks
from pdloss.errors import SpecError
from pdloss.losses import MultilayerPDL
from pdloss.tasks import TASKS, task
from pdloss.training.configuration import TrainConfig
from pdloss.training.recipes import BUDGETS, RECIPES, budget, recipe
from pdloss.training.recommendations import recommended


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_configuration(name: str) -> None:
    chosen = recipe(name)
    TrainConfig(data="photographs", out=Path("run"), **chosen.options).validate()
    losses.objective(chosen.options["loss"])


@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("of", TASKS)
def test_every_task_has_every_budget_in_full(of: str, name: str) -> None:
    options = budget(of, name).options
    assert {"steps", "batch", "crop", "lr", "network", "loss"} <= options.keys()
    config = TrainConfig(data="photographs", out=Path("run"), **options)
    config.validate()
    assert losses.objective(config.loss).names() == ["l1", "multilayer_pdl", "phase"]
    degradation = degradations.parse(config.degradation or task(of).degradation)
    assert config.crop % degradation.factor == 0
    scale = getattr(networks.NETWORKS.parse(config.network), "scale", 1)
    assert scale == degradation.factor


def test_more_time_means_more_work() -> None:
    def work(of: str, name: str) -> int:
        options = budget(of, name).options
        return options["steps"] * options["batch"] * options["crop"] ** 2

    for of in TASKS:
        assert work(of, "cpu") < work(of, "halfhour") < work(of, "day")


def test_the_day_has_the_papers_networks_without_a_shuffle_and_the_cpus_need_nothing_fetched() -> None:
    assert {of: budget(of, "day").options["network"] for of in TASKS} == {
        "denoise": "srn", "sr": "edsr(scale=4, upsampling='resize')", "deblur": "dsdeblur", "jpeg": "srn",
        "demosaic": "srn",
    }  # fmt: skip
    assert {budget(of, "cpu").options["loss"] for of in TASKS} == {recommended()}
    assert "distilled" in MultilayerPDL().features


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="unknown budget 'dya'; did you mean 'day'"):
        budget("sr", "dya")
    with pytest.raises(SpecError, match="unknown task 'deblurr'; did you mean 'deblur'"):
        budget("deblurr", "day")
    with pytest.raises(SpecError, match="unknown recipe 'srgan2'"):
        recipe("srgan2")


def test_the_page_of_training_says_what_the_budgets_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    for name in BUDGETS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        for of in TASKS:
            options = budget(of, name).options
            rate = f"{options['lr']:.0e}".replace("e-0", "e-")
            for value in (f"{options['steps']:,}", options["batch"], options["crop"], rate, options["loss"]):
                assert str(value) in row, (name, of, value)
