"""``pdloss train``."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pdloss.commands.progress import Bar
from pdloss.errors import SpecError
from pdloss.models.shelf import first_weights
from pdloss.training.configuration import TrainConfig
from pdloss.training.presets import ABOUT, PRESETS, preset


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


def main(argv: list[str]) -> int:
    """Trains, and returns 0 when done, 130 when stopped on the way.

    Raises:
        UserError: If a choice, the data or the run folder cannot be used.
    """
    config = parse(argv)
    from pdloss.commands.training_display import Display
    from pdloss.training.loop import train
    from pdloss.training.ranks import is_first

    with Bar("reading photographs") as bar:
        display = Display(config, bar)
        state = train(config, display)
        if advice := display.advice():
            bar.say(advice)
    stopped = state.step < config.steps
    if is_first():
        said = f"stopped after step {state.step} of {config.steps}, saved; the same command goes on"
        print(said if stopped else config.out)
    return 130 if stopped else 0


def parse(argv: list[str]) -> TrainConfig:
    """Returns the configuration; ``--config``, ``--recipe`` or ``--budget`` gives the defaults, other options override.

    Raises:
        SpecError: If the file or the name is missing or unknown, or two of the three are given.
    """
    given, rest = _taken(argv, PRESETS)
    if len(given) > 1:
        raise SpecError(f"{' and '.join(given)} both give the defaults: take one of them")
    default = None
    for option, value in given.items():
        chosen, _ = _taken(rest, {"--task": "sr"})
        default = preset(option, value, chosen.get("--task"))
    options = tyro.cli(
        Options,
        args=rest,
        prog="pdloss train",
        description=ABOUT,
        config=(tyro.conf.OmitArgPrefixes,),
        default=tyro.MISSING_NONPROP if default is None else Options(training=default),
    )
    config = options.training
    if default is not None and "--config" in given:
        check_received(default, config, rest)
    return dataclasses.replace(config, typed=True, init=first_weights(config.init))


def check_received(received: TrainConfig, config: TrainConfig, typed: Sequence[str]) -> None:
    """Refuses the choices of a file that name code, unless the same option was typed too, or the module is trusted.

    Args:
        received: What ``--config`` gave.
        config: What came of it and of what was typed; says what is trusted.
        typed: The other arguments.

    Raises:
        SpecError: Naming the module, and the option that allows it.
    """
    from pdloss.degradations import DEGRADATIONS
    from pdloss.losses import LOSSES
    from pdloss.networks import NETWORKS

    options = {argument.partition("=")[0] for argument in typed}
    if "--network" not in options and received.network is not None:
        NETWORKS.parse(received.network, config.received)
    if "--loss" not in options:
        LOSSES.parse_sum(received.loss, config.received)
    if "--degradation" not in options and received.degradation is not None:
        DEGRADATIONS.parse_chain(received.degradation, config.received)


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
