"""The parts of a training, built and tried before anything is read, decoded or written."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from pdloss import runs
from pdloss.devices import channels_last
from pdloss.errors import SpecError
from pdloss.files.tensors import unverified
from pdloss.losses import Objective, WeightedSum
from pdloss.runs.purposes import Purpose
from pdloss.runs.states import seed_everything
from pdloss.training.ranks import Ranks
from pdloss.training.resolving import Resolved
from pdloss.training.trial import try_out


class Parts(NamedTuple):
    """What is trained, and by what."""

    network: nn.Module
    criterion: WeightedSum
    notes: list[str]
    """What is worth saying of them."""


def prepared(asked: Resolved, run: runs.RunFolder, ranks: Ranks) -> Parts:
    """Returns the parts of a training, on their device, the network with its first weights.

    A crop made up is put through copies of them all, so that a loss that needs larger crops, or a network of another
    scale, is refused here. The global random streams are left where building the parts left them.

    Raises:
        UserError: If the first weights cannot be used, or the parts do not fit.
    """
    options, aim = asked.options, asked.purpose
    first = None if run.begun else asked.first
    network, criterion, notes = built(aim, asked.objective, options.seed, ranks.device, first)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SpecError(f"{aim.network} has no weights to train")
    if run.begun:
        return Parts(network, criterion, [note for note in (unverified(run.state),) if note])
    part = options.batch // (ranks.world_size * options.accumulate)
    scales = asked.objective if options.scales == "all" else None
    try_out(network, criterion, aim, options.precision, part, scales)
    return Parts(network, criterion, notes)


def built(aim: Purpose, objective: Objective, seed: int, device: torch.device, weights: Path | None) -> Parts:
    """Returns network and loss, on their device.

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
        return Parts(network, criterion, [])
    runs.load_weights(weights, network)
    return Parts(network, criterion, [note for note in (unverified(weights),) if note])
