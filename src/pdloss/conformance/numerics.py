"""What any loss owes a training: images apart, number formats, repeatability, a true gradient."""

import math

import torch
from torch import Tensor

from pdloss.conformance.findings import Finding, several
from pdloss.conformance.probe import NOTHING, Probe
from pdloss.ops.streams import generator

BFLOAT16 = 0.05
"""How far bfloat16 may be off, relatively; one number of it rounds by up to 0.4 %."""

_FORMATS = (torch.float64, torch.float32, torch.bfloat16)

# Of central differences. The step must be small beside the gaps between values, where absolute values have their kinks,
# and large beside rounding: a loss that computes in float32 cannot be held to more than a tenth.
_STEP_AND_SLACK = {torch.float64: (1e-7, 1e-3)}
_ROUNDED_STEP_AND_SLACK = 1e-5, 0.1


def batch_is_the_mean_of_its_images(probe: Probe) -> Finding:
    """Images have nothing to do with each other: a batch is the mean of its images, or has one value for each."""
    target = probe.target(3) * torch.arange(1.0, 4).view(3, 1, 1, 1)
    restored = target.roll(1, 0)  # pooled over the batch the two would be equal
    together = probe.values(restored, target).detach().double()
    alone = torch.tensor([probe.value(restored[[i]], target[[i]]) for i in range(3)], dtype=torch.float64)
    off = float((together - (alone if together.ndim else alone.mean())).abs().max())
    exact = off <= NOTHING * float(alone.abs().max())
    if not exact and not _agree(probe.average(restored, target), _mean_of_averages(probe, restored, target), NOTHING):
        ratio = float(together.mean() / alone.mean())
        reason = "it sums over the batch" if abs(ratio - 3) < 0.01 else "it mixes the images of a batch"
        return False, (
            f"three images have the value {float(together.mean()):.3g} together and "
            f"{several(alone.tolist())} alone: {reason}"
        )
    return True, (f"{float(together.mean()):.3g} together and in the mean" if exact else _IN_THE_MEAN)


def same_in_every_number_format(probe: Probe) -> Finding:
    """Mixed precision hands over what it has: float64 and float32 must agree to 1e-4, bfloat16 to 5 %."""
    restored, target = probe.restored(), probe.target()
    double, single, half = (probe.value(restored.to(dtype), target.to(dtype)) for dtype in _FORMATS)
    if not all(map(math.isfinite, (double, single, half))):
        return False, f"float64, float32 and bfloat16 give {several((double, single, half))}: not finite"
    off = abs(single - double), abs(half - double)
    if off[0] <= NOTHING * abs(double) and off[1] <= BFLOAT16 * abs(double):
        unit = abs(double) or 1.0
        return True, f"off by {off[0] / unit:.1g} in float32, by {off[1] / unit:.1g} in bfloat16, relatively"
    averages = [probe.average(restored.to(dtype), target.to(dtype)) for dtype in _FORMATS]
    if _agree(averages[1], averages[0], NOTHING) and _agree(averages[2], averages[0], BFLOAT16):
        return True, _IN_THE_MEAN  # torch draws other numbers in other formats
    return False, (
        f"float64, float32 and bfloat16 give {double:.6g}, {single:.6g} and {half:.6g}: it computes in the format it "
        "is given; sums and differences need float32"
    )


def same_under_one_seed(probe: Probe) -> Finding:
    """A run can be repeated only if the same seed gives the same value, bit for bit."""
    restored, target = probe.restored(), probe.target()
    first, again = (probe.values(restored, target) for _ in range(2))
    if not torch.equal(first, again):
        return False, (
            f"two calls give {float(first.mean()):.6g} and {float(again.mean()):.6g}, each after torch.manual_seed: "
            "it draws from a generator of its own that nobody can seed, or keeps something from call to call"
        )
    if torch.equal(again, probe.values(restored, target, reseed=False)):
        return True, "two calls agree; nothing is drawn"
    return True, "two calls agree after torch.manual_seed, which is needed: it draws from torch's own generator"


def gradient_is_the_slope(probe: Probe) -> Finding:
    """A step along the gradient must change the value as the gradient says; compared with central differences."""
    restored, target = probe.restored().double(), probe.target().double()
    _, gradient = probe.gradient(restored, target)
    step, slack = _STEP_AND_SLACK.get(probe.values(restored, target).dtype, _ROUNDED_STEP_AND_SLACK)
    for i in range(3):
        way = torch.randn(restored.shape, generator=generator("conformance", probe.seed, i), dtype=torch.float64)
        said = float((gradient * way).sum())
        ahead, behind = (probe.value(restored + sign * step * way, target) for sign in (1, -1))
        measured = (ahead - behind) / (2 * step)
        if not abs(said - measured) <= slack * float(gradient.norm()):
            return False, (
                f"along a random direction the gradient says {said:.4g}, the value itself {measured:.4g}: part of the "
                "way is detached, or has a backward of its own that is wrong"
            )
    return True, "equals central differences along three random directions"


def says_whether_symmetric(probe: Probe) -> Finding:
    """Only noted: some good losses are not symmetric, and then the order (restored, target) matters."""
    forth, back = probe.value(probe.restored(), probe.target()), probe.value(probe.target(), probe.restored())
    if abs(forth - back) <= NOTHING * abs(forth):
        return None, "noted: symmetric"
    return None, f"noted: not symmetric, {forth:.3g} against {back:.3g} with the sides exchanged"


_IN_THE_MEAN = "agrees in the mean over 16 seeds; single values are drawn at random"


def _agree(one: tuple[float, float], other: tuple[float, float], slack: float) -> bool:
    """Returns whether two means of what is drawn differ by no more than a share `slack` and six standard errors."""
    return one[1] > 0 and abs(one[0] - other[0]) <= slack * abs(other[0]) + 6 * math.hypot(one[1], other[1])


def _mean_of_averages(probe: Probe, restored: Tensor, target: Tensor) -> tuple[float, float]:
    means, errors = zip(*(probe.average(restored[[i]], target[[i]]) for i in range(len(restored))), strict=True)
    return sum(means) / len(means), math.hypot(*errors) / len(errors)
