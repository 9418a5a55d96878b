"""What a loss on features must see, and what it must not."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pdloss.conformance.findings import Finding
from pdloss.conformance.probe import NOTHING, SOMETHING, Probe, blurred
from pdloss.ops.streams import generator

_PLACE_BY_PLACE = "the loss sorts another axis than positions, or compares place by place"
_SORTED_AWAY = "positions are sorted or averaged away, as in a distribution loss"


def is_zero_at_equality(probe: Probe) -> Finding:
    """Where features are equal nothing is left to correct, and a gradient that is not finite there ends a training."""
    maps = probe.target()
    maps = (maps - maps.mean((2, 3), keepdim=True)).relu()  # ties at zero, as features have them
    value, gradient = probe.gradient(maps, maps)
    if not (math.isfinite(value) and abs(value) <= NOTHING * probe.yardstick()):
        return False, (
            f"equal maps have the value {value:.3g}, unrelated ones {probe.yardstick():.3g}: "
            "something constant is added, or the two sides are treated differently"
        )
    if bad := _not_finite(gradient):
        return False, f"{bad} of the gradient at equality is not finite: a root or norm needs an epsilon inside"
    return True, f"value {value:.3g}, gradient finite"


def ignores_shuffled_positions(probe: Probe) -> Finding:
    """Moving positions, all channels alike, leaves every distribution as it is."""
    return _ignores(probe, _shuffle(probe), "moving positions")


def ignores_rolled_positions(probe: Probe) -> Finding:
    """A picture moved by 3 pixels, and entering again at the other side, has the same values in another order."""
    return _ignores(probe, _roll, "rolling by 3 pixels")


def sees_shuffled_positions(probe: Probe) -> Finding:
    """A loss that compares place by place must mind what stands in which place."""
    return _sees(probe, _shuffle(probe), "moving positions", _SORTED_AWAY)


def sees_rolled_positions(probe: Probe) -> Finding:
    """A picture moved by 3 pixels differs nearly everywhere."""
    return _sees(probe, _roll, "rolling by 3 pixels", _SORTED_AWAY)


def sees_shuffled_channels(probe: Probe) -> Finding:
    """Each channel means another feature: values that turn up in the wrong one are wrong."""
    if probe.channels == 1:
        return None, "does not apply: one channel cannot be shuffled"
    hint = "channels are pooled, or sorted against each other, so that which is which is lost"
    return _sees(probe, lambda maps: maps.roll(1, dims=1), "shuffling channels", hint)


def sees_doubled_contrast(probe: Probe) -> Finding:
    """Twice as strong a response is another distribution."""
    return _sees(probe, lambda maps: 2 * maps, "doubling the contrast", "maps are divided by their sum or their spread")


def sees_shifted_mean(probe: Probe) -> Finding:
    """A response that is stronger everywhere by a constant is another distribution."""
    return _sees(probe, lambda maps: maps + 0.5, "adding 0.5", "the mean is taken away before comparing")


def sees_blur(probe: Probe) -> Finding:
    """Blur keeps every mean and narrows every distribution: it is what such a loss is there to undo."""
    return _sees(probe, blurred, "blurring", "only means are compared")


def bears_dead_channels(probe: Probe) -> Finding:
    """After a ReLU a channel can be zero everywhere; neither value nor gradient may become infinite or NaN."""
    dead = torch.ones(1, probe.channels, 1, 1)
    dead[:, 0] = 0
    for side, target in (("both maps", dead * probe.target()), ("the restored map", probe.target())):
        value, gradient = probe.gradient(dead * probe.restored(), target)
        if not math.isfinite(value):
            return False, f"with a channel of zeros in {side} the value is {value}: a sum or spread of 0 divides"
        if bad := _not_finite(gradient):
            return False, f"with a channel of zeros in {side} {bad} of the gradient is not finite: a 0 is divided by"
    return True, "value and gradient finite"


def _ignores(probe: Probe, move: Callable[[Tensor], Tensor], moving: str) -> Finding:
    restored, target, unit = probe.restored(), probe.target(), probe.yardstick()
    start, moved = probe.value(target, target), probe.value(move(target), target)
    if not abs(moved - start) <= NOTHING * unit:
        return False, f"{moving} changed the value from {start:.3g} to {moved:.3g}: {_PLACE_BY_PLACE}"
    before, after = probe.value(restored, target), probe.value(move(restored), target)
    if not abs(after - before) <= NOTHING * unit:
        return False, f"{moving} changed the value from {before:.3g} to {after:.3g}: {_PLACE_BY_PLACE}"
    return True, f"{moved:.3g} from itself; {before:.3g} before and after from other maps"


def _sees(probe: Probe, change: Callable[[Tensor], Tensor], changing: str, hint: str) -> Finding:
    value, unit = probe.value(change(probe.target()), probe.target()), probe.yardstick()
    if not value > SOMETHING * unit:
        return False, f"{changing} gives {value:.3g}, where unrelated maps have {unit:.3g}: {hint}"
    return True, f"{value:.3g}"


def _shuffle(probe: Probe) -> Callable[[Tensor], Tensor]:
    def shuffled(maps: Tensor) -> Tensor:
        order = torch.randperm(maps[0, 0].numel(), generator=generator("conformance", probe.seed, "order"))
        return maps.flatten(2)[:, :, order].view_as(maps)

    return shuffled


def _roll(maps: Tensor) -> Tensor:
    return maps.roll((3, 3), dims=(2, 3))


def _not_finite(gradient: Tensor) -> str:
    """Returns the share of a gradient that is not finite in words, empty if all is."""
    share = 1 - float(gradient.isfinite().double().mean())
    return f"{100 * share:.3g} %" if share else ""
