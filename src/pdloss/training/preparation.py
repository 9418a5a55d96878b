"""What a training is made of, built and tried before anything is read, decoded or written."""

import copy
import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pdloss import losses, networks, runs
from pdloss.assets import sha256
from pdloss.datasets import Degrade, factor_of, source
from pdloss.datasets.own_pairs import first_factor
from pdloss.degradations import Chain
from pdloss.degradations.given import is_given
from pdloss.devices import autocast, best_precision, channels_last
from pdloss.errors import RangeWarning, RunError, SpecError, UserError
from pdloss.files.tensors import unverified
from pdloss.losses import Objective, WeightedSum
from pdloss.memory import ran_out
from pdloss.runs.purposes import Purpose, purpose, weights_file
from pdloss.runs.states import random_state, seed_everything, set_random_state
from pdloss.specs import Choice
from pdloss.training.configuration import CalibrateConfig, TrainConfig
from pdloss.training.data import pairs_degradation
from pdloss.training.ranks import Ranks


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
    network, criterion = built(aim, objective, config.seed, ranks.device)
    _refuse_untrainable(aim.network, network)
    precision = best_precision(ranks.device) if config.precision == "auto" else config.precision
    first = _first_weights(config, run)
    if run.begun:
        precision = run.record().precision if config.precision == "auto" else precision
        notes = [note for note in (unverified(run.state),) if note]
    else:
        notes = [] if first is None else loaded(first, network)
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


def built(aim: Purpose, objective: Objective, seed: int, device: torch.device) -> tuple[nn.Module, WeightedSum]:
    """Returns the network, with fresh weights, and the loss, on their device; the seed alone chooses what they draw."""
    seed_everything(seed)
    return channels_last(aim.network.build()).to(device), objective.build().to(device)


def loaded(file: Path, network: nn.Module) -> list[str]:
    """Puts the weights of a file into the network, and returns what is to be said of it.

    Raises:
        RunError: If it cannot be read, is damaged, or belongs to another network.
    """
    runs.load_weights(file, network)
    return [note for note in (unverified(file),) if note]


def coarse_criterion(objective: Objective, network: nn.Module) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Returns what maps degraded and target to the restored batch and the pixel terms' sum over its coarser scales.

    Raises:
        SpecError: If the network has one scale only, or the objective no pixel term.
    """
    pixels = Objective(tuple(term for term in objective.terms if isinstance(term[1], losses.L1 | losses.L2)))
    if not isinstance(network, networks.MultiScaleNetwork):
        raise SpecError("--scales all needs a network that restores from coarse to fine: srn or dsdeblur")
    if not pixels.terms:
        raise SpecError(f"--scales all compares coarser scales by pixel terms, and {objective} has none; add l1")
    criterion = pixels.build()

    def restored_and_coarse(degraded: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        *coarser, finest = (images.float() for images in network.forward_scales(degraded))
        targets = network.target_scales(target)[:-1]
        parts = [criterion(restored, smaller).total for restored, smaller in zip(coarser, targets, strict=True)]
        return finest, torch.stack(parts).sum()

    return restored_and_coarse


def try_out(
    network: nn.Module,
    criterion: nn.Module,
    aim: Purpose,
    precision: str | None,
    batch: int,
    scales: Objective | None = None,
) -> None:
    """Puts one or two crops made up through copies of the parts; what they hold and the random streams stay.

    Args:
        network: The network, on its device.
        criterion: The loss, there too.
        aim: The degradation and the size of the crop.
        precision: As in training.
        batch: How many crops go through them at once in training.
        scales: The objective, if it is compared at all scales.

    Raises:
        SpecError: Naming the part that cannot work on such crops, and why.
    """
    before = random_state()
    device = next(network.parameters()).device
    stream = torch.Generator().manual_seed(0)
    try:
        copies = _copies(network, criterion)
        if copies is None:
            return
        network, criterion = copies[0].eval(), copies[1]
        targets = torch.rand(min(batch, 2), 3, aim.crop, aim.crop, generator=stream)
        what, degrade = f"{aim.degradation} cannot be applied to", _degrades(aim.degradation)
        degraded = torch.stack([_tried(what, aim, degrade, target.clone(), stream) for target in targets]).to(device)
        targets = targets.to(device)
        with torch.no_grad(), autocast(device, precision), warnings.catch_warnings():
            # What a network with fresh weights makes of a crop made up says nothing of the user's pictures.
            warnings.simplefilter("ignore", RangeWarning)
            restored = _tried(f"{aim.network} cannot restore", aim, network, degraded)
            check_scale(degraded, restored, targets, aim.network.in_full(), aim.degradation.in_full())
            if scales is not None:
                _tried("--scales all cannot be used on", aim, coarse_criterion(scales, network), degraded, targets)
            _tried("the loss cannot be computed on", aim, criterion, restored.float(), targets)
    finally:
        set_random_state(*before)


def check_scale(degraded: Tensor, restored: Tensor, target: Tensor, network: object, degradation: object) -> None:
    """Refuses a network that does not undo the degradation's change of size.

    Raises:
        SpecError: Naming the network, the degradation and the three sizes.
    """
    if restored.shape != target.shape:
        sizes = ", ".join("x".join(map(str, images.shape[1:])) for images in (degraded, restored, target))
        raise SpecError(
            f"{network} does not fit {degradation}: input, output and target are {sizes} "
            "(channels x height x width); choose a network of the degradation's "
            "scale, such as edsr(scale=4) for downscale(factor=4)"
        )


def _refuse_untrainable(choice: Choice, network: object) -> None:
    """Refuses what is no network, or has nothing to train.

    Raises:
        SpecError: Naming it.
    """
    if not isinstance(network, nn.Module):
        raise SpecError(f"{choice} is no network: it makes a {type(network).__name__}, not a torch.nn.Module")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SpecError(f"{choice} has no weights to train")


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


def _degrades(degradation: Chain) -> Degrade:
    """Returns what degrades a crop made up; that of pairs, which cannot be applied, only makes it smaller."""
    if is_given(degradation.in_full()):
        return lambda clean, _: torch.nn.functional.avg_pool2d(clean, degradation.factor)
    return degradation


def _tried(what: str, aim: Purpose, part: Callable[..., Any], *given: Any) -> Any:
    try:
        return part(*given)
    except UserError:
        raise
    except (ValueError, RuntimeError) as error:
        if ran_out(error):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SpecError(f"{what} crops of {aim.crop} pixels, which --crop sets: {said}") from error


def _copies(*parts: nn.Module) -> tuple[nn.Module, ...] | None:
    """Returns copies, whose counters and streams may move; None if a user's own part cannot be copied."""
    try:
        return tuple(copy.deepcopy(part) for part in parts)
    except (TypeError, RuntimeError, AttributeError, NotImplementedError) as error:
        if ran_out(error):
            raise
        return None


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
