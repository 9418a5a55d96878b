"""``pdloss train``."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import tyro

from pdloss.commands.progress import Bar
from pdloss.degradations import DEGRADATIONS
from pdloss.errors import MissingExtraError, RunError, SpecError
from pdloss.files.spelling import as_path
from pdloss.losses import LOSSES, LossTerms
from pdloss.networks import NETWORKS
from pdloss.records import LogLine, RunRecord, read_record
from pdloss.runs.states import State
from pdloss.specs.trust import Trust
from pdloss.tasks import DEFAULT_TASK
from pdloss.training.configuration import TrainConfig
from pdloss.training.data import TrainingPhotographs
from pdloss.training.loop import Watcher, train
from pdloss.training.ranks import is_first
from pdloss.training.recipes import RECIPES, Recipe, budget, recipe

_DEFAULTS = {"--config": "runs/first/config.json", "--recipe": "srgan", "--budget": "cpu"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be typed; the first three are taken out before the others are read, whose defaults they give."""

    config: Path | None = None
    """RUN/config.json of a run to repeat: its options are the defaults."""
    recipe: str | None = None
    """Known options as defaults; one of srgan."""
    budget: str | None = None
    """Defaults that fit the time, for the task: cpu, halfhour or day."""
    training: Annotated[TrainConfig, tyro.conf.arg(name="")]


class Display(Watcher):
    """Shows a training as a bar with steps per second, the loss terms and the time left."""

    def __init__(self, config: TrainConfig, bar: Bar) -> None:
        self.config, self.bar = config, bar
        self.waiting: list[float] = []
        self.board: Any = None

    def loading(self, done: int, total: int) -> None:
        """Shows the images read."""
        self.bar.update(done, total)

    def warn(self, text: str) -> None:
        """Says what may make the results wrong."""
        self.bar.say(f"warning: {text}")

    def note(self, text: str) -> None:
        """Says what is worth knowing."""
        self.bar.say(text)

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Says what is trained and on what."""
        if self.config.tensorboard:
            self.board = _tensorboard(self.config.out)
        self.bar.say(f"{record.network}, {record.parameters:,} parameters, {record.precision} on {record.device}")
        self.bar.say(f"minimises {record.loss}")
        how = (
            f"beside their degraded ones in {record.degraded}"
            if record.degraded
            else f"degraded by {record.degradation}, {why}"
        )
        self.bar.say(f"{record.images} photographs in {record.data}, {how}")
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
        """Says what was measured, and writes the line for TensorBoard, if asked to."""
        self.waiting.append(line.waiting)
        for name, value in line.valid.items():
            self.bar.say(f"step {line.step}: {name} {value:.2f} on {self.config.valid}")
        if self.board is None:
            return
        self.board.add_scalar("total", line.total, line.step)
        self.board.add_scalar("lr", line.lr, line.step)
        for kind, values in (("term", line.terms), ("gradient", line.gradients), ("valid", line.valid)):
            for name, value in values.items():
                self.board.add_scalar(f"{kind}/{name}", value, line.step)
        self.board.flush()

    def advice(self) -> str:
        """Returns what to say of time lost waiting for data; nothing if it was a tenth or less."""
        share = statistics.fmean(self.waiting or [0])
        more = "try more --workers" if self.config.workers else "--workers 2 would do that beside the training"
        return f"{share:.0%} of the time was spent preparing or waiting for data: {more}" if share > 0.1 else ""


def main(argv: list[str]) -> int:
    """Trains, and returns 0 when done, 130 when stopped on the way.

    Raises:
        UserError: If a choice, the data or the run folder cannot be used.
    """
    config = parse(argv)
    with Bar("reading photographs") as bar:
        display = Display(config, bar)
        state = train(config, display)
        if advice := display.advice():
            bar.say(advice)
    if not is_first():
        return 130 if state.step < config.steps else 0
    if state.step < config.steps:
        print(f"stopped after step {state.step} of {config.steps}, saved; the same command goes on")
        return 130
    print(config.out)
    return 0


def parse(argv: list[str]) -> TrainConfig:
    """Returns the configuration; ``--config``, ``--recipe`` or ``--budget`` gives the defaults, other options override.

    Raises:
        SpecError: If the file or the name is missing or unknown, or two of the three are given.
    """
    given, rest = _taken(argv, _DEFAULTS)
    if len(given) > 1:
        raise SpecError(f"{' and '.join(given)} both give the defaults: take one of them")
    default, record = None, None
    for option, value in given.items():
        if option == "--config":
            default = from_record(record := read_record(Path(value), RunRecord))
        elif option == "--recipe":
            default = from_recipe(recipe(value))
        else:
            chosen, _ = _taken(rest, {"--task": "sr"})
            default = from_recipe(budget(chosen.get("--task", DEFAULT_TASK), value))
    description = (
        "Trains a network. --config RUN/config.json repeats a run, --recipe NAME starts from known options, --budget "
        "cpu|halfhour|day from those that fit the time for the task; the other options override. Recipes: "
        + "; ".join(f"{name}, {r.about}" for name, r in RECIPES.items())
    )
    options = tyro.cli(
        Options,
        args=rest,
        prog="pdloss train",
        description=description,
        config=(tyro.conf.OmitArgPrefixes,),
        default=tyro.MISSING_NONPROP if default is None else Options(training=default),
    )
    config = options.training
    if record is not None:
        check_received(record, config.received, rest)
    return dataclasses.replace(config, typed=True)


def check_received(record: RunRecord, trusted: Trust, typed: Sequence[str]) -> None:
    """Refuses the choices of a file that name code, unless the same option was typed too, or the module is trusted.

    Args:
        record: What ``--config`` gave.
        trusted: What it may name.
        typed: The other arguments.

    Raises:
        SpecError: Naming the module, and the option that allows it.
    """
    options = {argument.partition("=")[0] for argument in typed}
    if "--network" not in options:
        NETWORKS.parse(record.network, trusted)
    if "--loss" not in options:
        LOSSES.parse_sum(record.loss, trusted)
    if "--degradation" not in options:
        DEGRADATIONS.parse_chain(record.degradation, trusted)


def _taken(argv: list[str], options: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Returns the values of the named options, and the other arguments.

    Raises:
        SpecError: If one has no value, or two.
    """
    taken: dict[str, str] = {}
    rest = []
    arguments = iter(argv)
    for argument in arguments:
        option, _, value = argument.partition("=")
        if option not in options:
            rest.append(argument)
            continue
        value = value or next(arguments, "")
        if not value:
            raise SpecError(f"{option} needs a value, such as {options[option]}")
        if option in taken:
            raise SpecError(f"{option} is given twice")
        taken[option] = value
    return taken, rest


def from_record(record: RunRecord) -> TrainConfig:
    """Returns the configuration that repeats a run, but for where it is written."""
    known = msgspec.to_builtins(record)
    fields = {f.name: known[f.name] for f in dataclasses.fields(TrainConfig) if f.name in known}
    paths = {name: fields[name] and as_path(fields[name]) for name in ("init", "valid", "valid_degraded")}
    made: dict[str, Any] = {name: fields[name] and str(as_path(fields[name])) for name in ("data", "degraded")}
    if record.degraded:
        made["degradation"] = None  # its text stands for pairs, and is none to give
    config = TrainConfig(**(fields | paths | made), out=Path())
    object.__setattr__(config, "out", tyro.MISSING)  # must be named anew
    return config


def from_recipe(chosen: Recipe) -> TrainConfig:
    """Returns the configuration of a recipe, but for the data and where it is written."""
    config = TrainConfig(data="", out=Path(), **chosen.options)
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
