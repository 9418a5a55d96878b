"""Where the value and the gradient of a distribution loss are known: along a shift, and on a line."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from pdloss.conformance.findings import Finding, several
from pdloss.conformance.probe import LossRaisedError, Probe, gaussian_quantiles

CLOSE = 1e-3
"""Relative: float32, with room for an epsilon inside a root."""


def grows_as_a_power(probe: Probe) -> Finding:
    """A transport cost of order p grows 2^p times (rooted: twice) when the way to go doubles, in any direction."""
    target = probe.target()
    values = [probe.value(target + shift, target) for shift in (0.5, 1.0, 2.0)]
    if not all(0 < value < math.inf for value in values):
        return False, f"maps shifted by 0.5, 1 and 2 have the values {several(values)}; expected positive numbers"
    first, second = values[1] / values[0], values[2] / values[1]
    if not (abs(second - first) <= 0.01 * first and first > 1.98):
        return False, (
            f"doubling a shift makes the value {first:.3g} times larger, doubling again {second:.3g} times: it "
            "saturates or is normalised; a cost of order p grows by one and the same 2^p"
        )
    return True, f"doubling a shift makes the value {first:.3g} times larger, twice over: degree {math.log2(first):.3g}"


def equals_the_1d_cost(probe: Probe) -> Finding:
    """In a single channel every projection is the values themselves: the mean of |u_(i) - v_(i)|^p, or its root."""
    pairs = pairs_on_a_line(probe)
    try:
        values = np.array([probe.value(u, v) for u, v in pairs.values()])
    except LossRaisedError as refusal:
        return None, f"does not apply: with a single channel it {refusal}"
    found = _closest_cost(values, pairs)
    if not (found.ratio > 0 and found.spread <= CLOSE):
        shown = list(pairs)[::2]
        wanted = [sorted_cost(*pairs[name], 1) for name in shown]
        return False, (
            f"a Gaussian sample {', '.join(shown)} has the values {several(values[::2])}, where W1 is "
            f"{several(wanted)}: no constant times W1, or times W2, rooted or not"
        )
    if not abs(found.ratio - probe.scale) <= CLOSE * probe.scale:
        return False, f"it is {found.ratio:.4g} times {found.name}, expected {probe.scale:g} times: declare the scale"
    return True, f"it is {found.name}" if probe.scale == 1 else f"it is {found.ratio:.4g} times {found.name}"


def gradient_follows_ranks(probe: Probe) -> Finding:
    """Each value is drawn to the target's value of its rank: the slope has the sign of u_(i) - v_(i)."""
    quantiles = gaussian_quantiles()
    restored = probe.scattered(5.1 + 1.5 * quantiles, "restored")  # wider: low ranks must rise, high ones fall
    target = probe.scattered(5 + quantiles, "target")
    try:
        _, gradient = probe.gradient(restored, target)
    except LossRaisedError as refusal:
        return None, f"does not apply: with a single channel it {refusal}"
    ranks = restored.flatten().argsort().argsort()
    expected = (restored.flatten() - target.flatten().sort().values[ranks]).sign()
    if wrong := int((gradient.flatten().sign() != expected).sum()):
        return False, (
            f"at {wrong} of {len(expected)} positions the slope does not point to the target's value of the same "
            "rank: values are paired some other way, or slopes put back in another order"
        )
    return True, f"all {len(expected)} signs are those of the ranks"


def pairs_on_a_line(probe: Probe) -> dict[str, tuple[Tensor, Tensor]]:
    """Returns Gaussian samples changed, and as they were: W1 is 0.7, 1.4, 0.5 E|Z| = 0.399, unknown, and 0.7."""
    quantiles = gaussian_quantiles()
    target = probe.scattered(5 + quantiles, "target")  # positive, as features after a ReLU
    changed = {
        "shifted by 0.7": 5.7 + quantiles,
        "shifted by 1.4": 6.4 + quantiles,
        "scaled by 1.5": 5 + 1.5 * quantiles,
        "exponentiated": quantiles.exp(),
    }
    pairs = {name: (probe.scattered(sample, name), target) for name, sample in changed.items()}
    wide = {name: probe.scattered(start + 2 * quantiles, name) for name, start in (("there", 5.7), ("here", 5.0))}
    return pairs | {"twice as wide and shifted by 0.7": (wide["there"], wide["here"])}


def sorted_cost(u: Tensor, v: Tensor, p: float) -> float:
    """Returns the mean of |u_(i) - v_(i)|^p, by NumPy."""
    return float(np.mean(np.abs(np.sort(u.double().numpy().ravel()) - np.sort(v.double().numpy().ravel())) ** p))


class _Cost(NamedTuple):
    """A form of transport cost, and how the values compare with it: relative range of the ratios, first ratio."""

    spread: float
    ratio: float
    name: str


def _closest_cost(values: Float[np.ndarray, " n"], pairs: dict[str, tuple[Tensor, Tensor]]) -> _Cost:
    """Returns the form that the values are most nearly proportional to: of order 1, 2, or the one a shift shows."""
    once, twice = values[:2].tolist()
    doubled = twice / once if once > 0 else 0.0
    # Rounded, so that an order next to 1 or 2 is not listed beside them.
    shown = round(math.log2(doubled), 4) if doubled > 0 else 1.0
    orders = {1.0, 2.0, shown if 1 < shown < 20 else 1.0}
    closest = _Cost(math.inf, 1.0, "")
    for order in orders:
        powered = np.array([sorted_cost(u, v, order) for u, v in pairs.values()])
        label = f"W{order:.3g}"
        costs = {f"{label}^{order:.3g}, without the root": powered, f"{label}, rooted": powered ** (1 / order)}
        for name, cost in {label: powered}.items() if order == 1 else costs.items():
            ratios = values / cost
            if np.isfinite(ratios).all():
                spread = float(np.ptp(ratios) / abs(ratios).max(initial=1e-30))
                closest = min(closest, _Cost(spread, float(ratios[0]), name))
    return closest
