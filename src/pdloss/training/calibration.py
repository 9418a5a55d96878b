"""Weights of loss terms from how hard each is to pull: a weight means something only with its features and layer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from pdloss import losses
from pdloss.datasets import Batch, Crops, batches
from pdloss.devices import autocast, chosen_device
from pdloss.errors import SpecError
from pdloss.losses import Objective, WeightedSum
from pdloss.runs.purposes import weights_file
from pdloss.training.configuration import CalibrateConfig
from pdloss.training.data import training_data
from pdloss.training.preparation import built
from pdloss.training.resolving import aim_of
from pdloss.training.trainer import gradient_norms
from pdloss.training.trial import try_out

Progress = Callable[[str, int, int], object]
"""Called with what is going on, and how much of how much is done."""


@dataclass(frozen=True)
class TermPull:
    """How hard one term pulls at the restored images."""

    name: str
    norm: float
    """Norm of its gradient, before its weight: the median over batches."""
    low: float
    """10 % of the batches have a smaller norm."""
    high: float
    """10 % of the batches have a larger norm."""
    weight: float
    """The weight found, as the text says it."""
    share: float
    """Its part of the sum of all weighted norms, with the weights found."""


@dataclass(frozen=True)
class Calibration:
    """The sum with the weights found, and what they are made of."""

    objective: Objective
    terms: list[TermPull]
    notes: list[str]
    """What was done to the photographs, and why."""


def calibrate(config: CalibrateConfig, progress: Progress | None = None) -> Calibration:
    """Returns the weights with which each term has the wanted share of the pull on the restored images.

    Pull is the norm of a term's gradient at a restored batch, its median over batches. Nothing is trained.

    Args:
        config: What to weigh.
        progress: Told what is going on.

    Raises:
        UserError: If an option, the data or the run cannot be used, or a term does not pull at all.
    """
    config.validate()
    asked = losses.objective(config.loss, config.trusted)
    shares = wanted_shares(config.share, asked.names())
    first = asked.terms[0][0]
    if first == 0:
        raise SpecError(f"--loss: the first term of {str(asked)!r} keeps its weight, which must not be 0")
    unweighted = Objective(tuple((1.0, choice) for _, choice in asked.terms))
    norms, notes = measured_norms(config, unweighted, progress)
    _refuse_useless(norms)
    quantiles = {name: np.quantile(values, (0.1, 0.5, 0.9)).tolist() for name, values in norms.items()}
    medians = [median for _, median, _ in quantiles.values()]
    weights = calibrated_weights(medians, shares, first)
    total = sum(weight * median for weight, median in zip(weights, medians, strict=True))
    terms = [
        TermPull(name, median, low, high, weight, weight * median / total)
        for weight, (name, (low, median, high)) in zip(weights, quantiles.items(), strict=True)
    ]
    found = Objective(tuple((weight, choice) for weight, (_, choice) in zip(weights, asked.terms, strict=True)))
    return Calibration(found, terms, notes)


def measured_norms(
    config: CalibrateConfig, objective: Objective, progress: Progress | None = None
) -> tuple[dict[str, list[float]], list[str]]:
    """Returns the norms of each weighted term's gradient at the restored images, batch by batch, and notes on the data.

    Args:
        config: Network and data; its own loss and shares play no part.
        objective: The weighted terms.
        progress: Told what is going on.

    Raises:
        UserError: If the data, the network or a loss cannot be used.
    """
    say = progress or (lambda label, done, total: None)
    device = chosen_device(config.device)
    aim = aim_of(config, config.init)
    notes = [
        f"degraded by {aim.degradation.in_full()}, {aim.why}"
        if config.degraded is None
        else f"beside their degraded ones in {config.degraded}"
    ]
    weights = None if config.init is None else weights_file(config.init)
    network, criterion, said = built(aim, objective, config.seed, device, weights)
    notes += said
    try_out(network, criterion, aim, None, config.batch)
    photographs, degradation = training_data(config, aim, lambda done, total: say("reading photographs", done, total))
    crops = Crops(photographs, degradation, size=aim.crop, seed=config.seed, batch=config.batch)
    norms: dict[str, list[float]] = {name: [] for name in criterion.names}
    say("measuring", 0, config.batches)
    for done, batch in enumerate(batches(crops, 0, config.batches), start=1):
        for name, norm in pulls(network, criterion, batch, device).items():
            norms[name].append(norm)
        say("measuring", done, config.batches)
    notes += photographs.notes + [f"{name} left out: {why}" for name, why in photographs.skipped.items()]
    return norms, notes


def calibrated_weights(norms: Sequence[float], shares: Sequence[float], first: float = 1.0) -> list[float]:
    r"""Returns the weights that give terms of these gradient norms these shares of the weighted sum of norms.

    .. math:: w_i = w_1 \frac{s_i / g_i}{s_1 / g_1}

    rounded to three significant digits, but for the first.

    Args:
        norms: Gradient norm :math:`g_i` of each term before its weight, positive.
        shares: Wanted share :math:`s_i` of each.
        first: Weight :math:`w_1` of the first.

    Example:
        >>> calibrated_weights([2.0, 100.0], [0.5, 0.5])
        [1.0, 0.02]
    """
    unit = first * norms[0] / shares[0]
    rest = [unit * share / norm for norm, share in zip(norms[1:], shares[1:], strict=True)]
    return [first, *(float(f"{weight:.3g}") for weight in rest)]


def wanted_shares(given: Sequence[float], names: Sequence[str]) -> list[float]:
    """Returns one share per term; a lone share of two terms is that of the second.

    Raises:
        SpecError: If there is one term only, or the shares are not one per term, between 0 and 1, with the sum 1.

    Example:
        >>> wanted_shares([0.75], ["l1", "pdl"])
        [0.25, 0.75]
    """
    said = " ".join(f"{share:g}" for share in given)
    if len(names) < 2:
        raise SpecError(
            f"--loss: {names[0]} alone has nothing to be weighed against; write two terms, such as l1 + pdl"
        )
    if not all(0 < share < 1 for share in given):
        raise SpecError(f"--share {said}: each share must lie between 0 and 1, both excluded")
    if len(given) == 1 and len(names) == 2:
        return [1 - given[0], given[0]]
    if len(given) != len(names):
        raise SpecError(f"--share {said}: expected one share for each of {', '.join(names)}, got {len(given)}")
    if abs(sum(given) - 1) > 1e-6:
        raise SpecError(f"--share {said}: the shares must add up to 1, not {sum(given):g}")
    return list(given)


def pulls(network: nn.Module, criterion: WeightedSum, batch: Batch, device: torch.device) -> dict[str, float]:
    """Returns the norm of each weighted term's gradient at what the network makes of a batch.

    Raises:
        SpecError: If a loss refuses images of this size.
    """
    degraded, target = (
        images.to(device, memory_format=torch.channels_last) for images in (batch.degraded, batch.target)
    )
    with autocast(device):
        with torch.no_grad():
            restored = network(degraded).float()
        restored.requires_grad_()
        try:
            terms = criterion(restored, target)
        except ValueError as error:
            raise SpecError(f"the loss cannot be computed on crops of {target.shape[-1]} pixels: {error}") from error
    return gradient_norms(terms, restored)


def _refuse_useless(norms: Mapping[str, Sequence[float]]) -> None:
    """Refuses terms that no weight gives a share.

    Raises:
        SpecError: If a term's gradient is not finite, or vanishes on half of the batches or more.
    """
    for name, values in norms.items():
        if not np.isfinite(values).all():
            raise SpecError(f"the gradient of {name!r} is not finite at the restored images: no weight can balance it")
        if np.median(values) == 0:
            where = f"{sum(value == 0 for value in values)} of {len(values)} batches"
            raise SpecError(
                f"the gradient of {name!r} is zero at the restored images on {where}, so no weight gives it a share: "
                "the loss does not depend on them, or is flat there, as features behind a ReLU that is off everywhere "
                "are on the pictures of an untrained network; give a trained one with --init"
            )
