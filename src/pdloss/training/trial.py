"""Trying on a crop made up what a training puts together, before a photograph is read."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pdloss import losses, networks
from pdloss.datasets import Degrade
from pdloss.degradations import Chain
from pdloss.degradations.given import is_given
from pdloss.devices import autocast
from pdloss.errors import RangeWarning, SpecError, UserError
from pdloss.losses import Objective
from pdloss.memory import ran_out
from pdloss.runs.purposes import Purpose
from pdloss.runs.states import random_state, set_random_state


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
        side = tried_side(aim.crop)
        targets = torch.rand(min(batch, 2), 3, side, side, generator=stream)
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


def tried_side(crop: int) -> int:
    """Returns the side to try a crop's parts at: its own, or one below 384 that 2, 3, 4, … 64 divide as they divide it.

    What does not fit a large crop does not fit that one either, and minutes are not spent on finding it out.

    Example:
        >>> [tried_side(crop) for crop in (96, 383, 384, 2048)]
        [96, 383, 192, 320]
    """
    return crop if crop < 384 else 192 + crop % 192


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
