"""What a training is made of, built and tried before anything is read, decoded or written."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pdloss import losses, runs
from pdloss.assets import sha256
from pdloss.datasets import factor_of, source
from pdloss.datasets.own_pairs import first_factor
from pdloss.devices import best_precision, channels_last
from pdloss.errors import RunError, SpecError
from pdloss.files.tensors import unverified
from pdloss.losses import Objective, WeightedSum
from pdloss.runs.purposes import Purpose, purpose, weights_file
from pdloss.runs.states import seed_everything
from pdloss.training.configuration import CalibrateConfig, TrainConfig
from pdloss.training.data import pairs_degradation
from pdloss.training.ranks import Ranks
from pdloss.training.trial import try_out


@dataclass(frozen=True)
class Prepared:
    """A training that has been checked as far as it can be without its photographs."""

    options: TrainConfig
    """With everything said that was left to defaults."""
    purpose: Purpose
    objective: Objective
    network: nn.Module
    criterion: WeightedSum
    init_sha256: str | None
    """Of the file of first weights, where it is still there."""
    notes: list[str]
    """What is worth saying."""


def prepared(config: TrainConfig, run: runs.RunFolder, ranks: Ranks) -> Prepared:
    """Returns the parts of a training, on their device, the network with its first weights.

    A crop made up is put through copies of them all, so that a loss that needs larger crops, or a network of another
    scale, is refused here. The global random streams are left where building the parts left them.

    Raises:
        UserError: If a choice, a file of weights or the folder of --valid cannot be used, or the parts do not fit.
    """
    _check_parts(config, ranks.count)
    objective = losses.objective(config.loss, config.trusted)
    # A run that has begun needs no longer what it began from, which may be gone.
    aim = aim_of(config, run.path if run.begun else config.init)
    _find(config)
    first = _first_weights(config, run)
    network, criterion, notes = built(aim, objective, config.seed, ranks.device, None if run.begun else first)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SpecError(f"{aim.network} has no weights to train")
    precision = best_precision(ranks.device) if config.precision == "auto" else config.precision
    if run.begun:
        precision = run.record().precision if config.precision == "auto" else precision
        notes = [note for note in (unverified(run.state),) if note]
    else:
        part = config.batch // (ranks.count * config.accumulate)
        try_out(network, criterion, aim, precision, part, objective if config.scales == "all" else None)
    options = dataclasses.replace(
        config, task=aim.task, network=aim.network.in_full(), loss=objective.in_full(), crop=aim.crop,
        degradation=aim.degradation.in_full(), precision=precision, device=str(ranks.device),
    )  # fmt: skip
    return Prepared(options, aim, objective, network, criterion, None if first is None else sha256(first), notes)


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


def built(
    aim: Purpose, objective: Objective, seed: int, device: torch.device, weights: Path | None
) -> tuple[nn.Module, WeightedSum, list[str]]:
    """Returns network and loss, on their device, and what is to be said of them.

    Args:
        aim: Says which network.
        objective: The loss.
        seed: It alone chooses what the two draw.
        device: Where to.
        weights: File of the network's weights; else they are fresh.

    Raises:
        SpecError: If it makes no network.
        RunError: If the file cannot be read, is damaged, or belongs to another network.
    """
    seed_everything(seed)
    network = aim.network.build()
    if not isinstance(network, nn.Module):
        raise SpecError(f"{aim.network} is no network: it makes a {type(network).__name__}, not a torch.nn.Module")
    network, criterion = channels_last(network).to(device), objective.build().to(device)
    if weights is None:
        return network, criterion, []
    runs.load_weights(weights, network)
    return network, criterion, [note for note in (unverified(weights),) if note]


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


def _first_weights(config: TrainConfig, run: runs.RunFolder) -> Path | None:
    """Returns the file that --init names; of a run that has begun, None if it is gone."""
    if config.init is None:
        return None
    try:
        file = weights_file(config.init)
    except RunError:
        if run.begun:
            return None
        raise
    if not file.exists():
        if run.begun:
            return None
        raise RunError(f"{config.init} does not exist")
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
