"""``pdloss train``."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import msgspec
import tyro

from pdloss import runs
from pdloss.commands.progress import Bar
from pdloss.configuration import TrainConfig
from pdloss.datasets import Photographs
from pdloss.errors import MissingExtraError, RunError, SpecError
from pdloss.losses import LossTerms
from pdloss.recipes import RECIPES, recipe
from pdloss.records import LogLine, RunRecord, read_record
from pdloss.training import Watcher, train

_DEFAULTS = {"--config": "runs/first/config.json", "--recipe": "srgan"}


class Display(Watcher):
    """Shows a training as a bar with steps per second, the loss terms and the time left."""

    def __init__(self, config: TrainConfig, bar: Bar) -> None:
        self.config, self.bar = config, bar
        self.board: Any = None

    def loading(self, done: int, total: int) -> None:
        """Shows the images read."""
        self.bar.update(done, total)

    def start(self, record: RunRecord, state: runs.State, photographs: Photographs) -> None:
        """Says what is trained and on what."""
        if self.config.tensorboard:
            self.board = _tensorboard(self.config.out)
        self.bar.say(f"{record.network}, {record.parameters:,} parameters, {record.precision} on {record.device}")
        self.bar.say(f"minimises {record.loss}")
        self.bar.say(f"{record.images} photographs in {record.data}, degraded by {record.degradation}")
        for name, said in record.weights.items():
            self.bar.say(f"features from {name}: {said}")
        for note in [*photographs.notes, *(f"{name} left out: {why}" for name, why in photographs.skipped.items())]:
            self.bar.say(note)
        if state.step:
            self.bar.say(f"goes on after step {state.step}")
        self.bar.begin("training", state.step, record.steps)

    def step(self, step: int, terms: LossTerms) -> None:
        """Moves the bar."""
        self.bar.update(
            step, self.config.steps, lambda: "  ".join(f"{k} {v.item():.4g}" for k, v in terms.values.items())
        )

    def log(self, line: LogLine) -> None:
        """Writes a line of the log for TensorBoard, if asked to."""
        if self.board is None:
            return
        self.board.add_scalar("total", line.total, line.step)
        self.board.add_scalar("lr", line.lr, line.step)
        for kind, values in (("term", line.terms), ("gradient", line.gradients)):
            for name, value in values.items():
                self.board.add_scalar(f"{kind}/{name}", value, line.step)
        self.board.flush()


def main(argv: list[str]) -> int:
    """Trains, and returns 0 when done, 130 when stopped on the way.

    Raises:
        UserError: If a choice, the data or the run folder cannot be used.
    """
    config = parse(argv)
    with Bar("reading photographs") as bar:
        state = train(config, Display(config, bar))
    if state.step < config.steps:
        print(f"stopped after step {state.step} of {config.steps}, saved; the same command goes on")
        return 130
    print(config.out)
    return 0


def parse(argv: list[str]) -> TrainConfig:
    """Returns the configuration; ``--config`` or ``--recipe`` gives the defaults, the other options override.

    Raises:
        SpecError: If the file or the name of the recipe is missing or unknown, or both are given.
    """
    default, rest = None, []
    arguments = iter(argv)
    for argument in arguments:
        option, _, value = argument.partition("=")
        if option not in _DEFAULTS:
            rest.append(argument)
            continue
        value = value or next(arguments, "")
        if not value:
            raise SpecError(f"{option} needs a value, such as {_DEFAULTS[option]}")
        if default is not None:
            raise SpecError("--config and --recipe give the defaults: take one of them, once")
        default = from_record(read_record(Path(value), RunRecord)) if option == "--config" else from_recipe(value)
    description = (
        "Trains a network. --config RUN/config.json repeats a run, --recipe NAME starts from known options; "
        "the other options override. Recipes: " + "; ".join(f"{name}, {r.about}" for name, r in RECIPES.items())
    )
    options = Annotated[TrainConfig, tyro.conf.arg(name="")]
    if default is None:
        return tyro.cli(options, args=rest, prog="pdloss train", description=description)
    return tyro.cli(options, args=rest, prog="pdloss train", description=description, default=default)


def from_record(record: RunRecord) -> TrainConfig:
    """Returns the configuration that repeats a run, but for where it is written."""
    known = msgspec.to_builtins(record)
    fields = {f.name: known[f.name] for f in dataclasses.fields(TrainConfig) if f.name in known}
    paths = {name: fields[name] and Path(fields[name]) for name in ("data", "init")}
    config = TrainConfig(**(fields | paths), out=Path())
    object.__setattr__(config, "out", tyro.MISSING)  # must be named anew
    return config


def from_recipe(name: str) -> TrainConfig:
    """Returns the configuration of a recipe, but for the data and where it is written.

    Raises:
        SpecError: If there is no such recipe.
    """
    chosen = recipe(name)
    config = TrainConfig(data=Path(), out=Path(), **chosen.options)
    for field in ("data", "out", *(("init",) if chosen.needs_init else ())):
        object.__setattr__(config, field, tyro.MISSING)  # must be named
    return config


def _tensorboard(out: Path) -> Any:
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        raise MissingExtraError("tensorboard", "tensorboard") from None
    try:
        return SummaryWriter(str(out / "tensorboard"))
    except OSError as error:
        raise RunError(f"{out / 'tensorboard'} cannot be written: {error.strerror}") from None
