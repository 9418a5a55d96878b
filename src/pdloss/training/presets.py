"""Where the options of a training start, if not from their defaults: a run, a recipe or a budget."""

from pathlib import Path
from typing import Any

import tyro

from pdloss.records import RunRecord, read_record
from pdloss.tasks import DEFAULT_TASK
from pdloss.training.configuration import TrainConfig
from pdloss.training.recipes import RECIPES, budget, recipe
from pdloss.training.recording import repeated

PRESETS = {"--config": "runs/first/config.json", "--recipe": "srgan", "--budget": "cpu"}
"""The options that name one, each with an example."""

ABOUT = (
    "Trains a network. --config RUN/config.json repeats a run, --recipe NAME starts from known options, --budget "
    "cpu|halfhour|day from those that fit the time for the task; the other options override. Recipes: "
    + "; ".join(f"{name}, {each.about}" for name, each in RECIPES.items())
)


def preset(option: str, value: str, task: str | None) -> TrainConfig:
    """Returns the options that ``--config``, ``--recipe`` or ``--budget`` stands for; what is to be named is missing.

    Args:
        option: One of `PRESETS`.
        value: The file or the name.
        task: The task that a budget is for.

    Raises:
        UserError: If there is no such file, name or task.
    """
    if option == "--config":
        return _without(repeated(read_record(Path(value), RunRecord)), "out")
    chosen = recipe(value) if option == "--recipe" else budget(task or DEFAULT_TASK, value)
    made = TrainConfig(**{"data": "", "out": Path(), **chosen.options})
    return _without(made, "data", "out", *(("init",) if chosen.needs_init else ()))


def _without(config: TrainConfig, *fields: str) -> TrainConfig:
    """Leaves fields to be named: the command line asks for them."""
    missing: Any = tyro.MISSING
    for field in fields:
        object.__setattr__(config, field, missing)
    return config
