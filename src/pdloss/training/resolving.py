"""What a training is to be: every option said that was left to defaults, before anything is built, read or written."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from pdloss import losses, runs
from pdloss.datasets import factor_of, source
from pdloss.datasets.own_pairs import first_factor
from pdloss.degradations import Chain
from pdloss.degradations.given import Given
from pdloss.devices import best_precision
from pdloss.errors import RunError, SpecError
from pdloss.losses import Objective
from pdloss.runs.purposes import Purpose, purpose, weights_file
from pdloss.training.configuration import CalibrateConfig, PartOptions, TrainConfig
from pdloss.training.ranks import Ranks


@dataclass(frozen=True)
class Resolved:
    """A training as it was asked for."""

    options: TrainConfig
    """With everything said that was left to defaults."""
    purpose: Purpose
    objective: Objective
    first: Path | None
    """The file of the first weights, where it is still there."""


def resolved(config: TrainConfig, run: runs.RunFolder, ranks: Ranks) -> Resolved:
    """Returns what is to be trained, each choice written in full.

    Raises:
        UserError: If a choice, a file of weights or the folder of --valid cannot be used.
    """
    _check_parts(config, ranks.world_size)
    # A run that has begun needs no longer what it began from, which may be gone.
    aim = aim_of(config, run.path if run.begun else config.init)
    objective = losses.objective(config.loss, config.trusted)
    _find(config)  # last, for what is typed is refused before a folder is looked into
    precision = config.precision
    if precision == "auto":
        precision = run.record().precision if run.begun else best_precision(ranks.device)
    options = dataclasses.replace(
        config, task=aim.task, network=aim.network.in_full(), loss=objective.in_full(), crop=aim.crop,
        degradation=aim.degradation.in_full(), precision=precision, device=str(ranks.device),
    )  # fmt: skip
    return Resolved(options, aim, objective, _first_weights(config.init, run.begun))


def aim_of(options: TrainConfig | CalibrateConfig, begin: Path | None) -> Purpose:
    """Returns what is trained for, as the options say, else as what it begins from, else as the task has it.

    Args:
        options: What is asked for.
        begin: Run folder or file of weights that it goes on from.

    Raises:
        UserError: If a choice cannot be understood or be degraded, or `begin` cannot be read.
    """
    aim = purpose(
        task_name=options.task, network=options.network, degradation=options.degradation, crop=options.crop,
        begin=begin, pairs=pairs_degradation(options), typed=options.trusted, received=options.received,
    )  # fmt: skip
    if aim.crop % (factor := factor_of(aim.degradation)):
        raise SpecError(f"a crop of {aim.crop} pixels cannot be degraded {factor} times smaller; use a multiple")
    return aim


def pairs_degradation(options: PartOptions) -> Chain | None:
    """Returns what stands for the degradation of pairs, of which only the first is read; None if it is no pairs.

    Raises:
        SpecError: If a degradation is given beside pairs.
        ImageError: If nothing is paired, or the first two do not fit each other.
    """
    if options.degraded is None:
        return None
    if options.degradation is not None:
        raise SpecError(
            f"--degradation {options.degradation!r} has no effect on the pairs of --degraded {options.degraded}; "
            "leave one out"
        )
    return Chain((Given(first_factor(options.data, options.degraded, leave_out=options.skip_damaged)),))


def _find(config: TrainConfig) -> None:
    """Refuses photographs that are not there, other than pairs to train on, which their scale was asked of.

    Raises:
        UserError: If there are none, or nothing of what should be pairs belongs together.
    """
    if config.degraded is None:
        source(config.data)
    if config.valid is not None and config.valid_degraded is not None:
        first_factor(config.valid, config.valid_degraded, "valid")
    elif config.valid is not None:
        source(config.valid, "valid")


def _first_weights(init: Path | None, begun: bool) -> Path | None:
    """Returns the file that --init names; of a run that has begun, None if it is gone."""
    if init is None:
        return None
    try:
        file = weights_file(init)
    except RunError:
        if begun:
            return None
        raise
    if not file.exists():
        if begun:
            return None
        raise RunError(f"{init} does not exist")
    return file


def _check_parts(config: TrainConfig, processes: int) -> None:
    """Refuses a batch whose share of one process cannot be computed in equal parts: their mean would not be the step's.

    Raises:
        SpecError: Naming the batch, the parts and the processes.
    """
    if config.batch % processes:
        raise SpecError(f"a batch of {config.batch} cannot be shared equally by {processes} processes; use a multiple")
    if config.batch % (processes * config.accumulate):
        raise SpecError(
            f"--batch {config.batch} cannot be shared by {processes} processes and computed in {config.accumulate} "
            f"equal parts each; use a multiple of {processes * config.accumulate}"
        )
