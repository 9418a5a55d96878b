"""The checks that losses of each kind must pass, and what comes of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from pdloss.conformance.exactness import equals_the_1d_cost, gradient_follows_ranks, grows_as_a_power
from pdloss.conformance.findings import Check, Verdict
from pdloss.conformance.kinds import Kind
from pdloss.conformance.numerics import (
    batch_is_the_mean_of_its_images,
    gradient_is_the_slope,
    same_in_every_number_format,
    same_under_one_seed,
    says_whether_symmetric,
)
from pdloss.conformance.probe import FeatureMapLoss, Probe, UnfitLossError
from pdloss.conformance.sensitivity import (
    bears_dead_channels,
    ignores_rolled_positions,
    ignores_shuffled_positions,
    is_zero_at_equality,
    sees_blur,
    sees_doubled_contrast,
    sees_rolled_positions,
    sees_shifted_mean,
    sees_shuffled_channels,
    sees_shuffled_positions,
)

_OF_BOTH_KINDS = (
    Check("sees shuffled channels", sees_shuffled_channels),
    Check("sees doubled contrast", sees_doubled_contrast),
    Check("sees shifted mean", sees_shifted_mean),
    Check("sees blur", sees_blur),
    Check("bears dead channels", bears_dead_channels),
    Check("batch is the mean of its images", batch_is_the_mean_of_its_images),
    Check("same in every number format", same_in_every_number_format),
    Check("same under one seed", same_under_one_seed),
    Check("gradient is the slope", gradient_is_the_slope),
    Check("symmetric", says_whether_symmetric),
)

CHECKS: dict[Kind, tuple[Check, ...]] = {
    "distribution": (
        Check("zero at equality", is_zero_at_equality),
        Check("ignores shuffled positions", ignores_shuffled_positions),
        Check("ignores rolled positions", ignores_rolled_positions),
        Check("grows as a power", grows_as_a_power),
        Check("equals the 1-D cost", equals_the_1d_cost),
        Check("gradient follows ranks", gradient_follows_ranks),
        *_OF_BOTH_KINDS,
    ),
    "perceptual": (
        Check("zero at equality", is_zero_at_equality),
        Check("sees shuffled positions", sees_shuffled_positions),
        Check("sees rolled positions", sees_rolled_positions),
        *_OF_BOTH_KINDS,
    ),
}
"""The checks of each kind, in the order in which they are run and shown."""


def conformance(
    loss: FeatureMapLoss, kind: Kind = "distribution", seed: int = 0, scale: float = 1.0, channels: int = 6
) -> list[Verdict]:
    """Returns one verdict for each check of a kind; what the loss raises becomes a failed check, never a traceback.

    All runs on the CPU, on small maps (10 x 14 positions). Before each call torch's random generator is seeded, so that
    losses that draw directions draw the same ones; afterwards it stands where it stood. A module is checked in eval
    mode, where those that redraw directions hold still, and left in the mode that it came in.

    Args:
        loss: Takes features of the restored images and of the targets, both (B, C, H, W), and returns a scalar or one
            value per image.
        kind: ``"distribution"`` or ``"perceptual"``.
        seed: Chooses the maps, and what the loss draws.
        scale: What the loss multiplies the 1-D transport cost by; of a distribution loss only.
        channels: Channels of the maps, for losses built for a certain number.

    Raises:
        ValueError: If the kind is unknown, the scale not positive and finite, or there is no channel.

    Example:
        >>> from pdloss.losses import projected_distribution_loss
        >>> [verdict.name for verdict in conformance(projected_distribution_loss) if verdict.passed is False]
        []
    """
    if kind not in CHECKS:
        raise ValueError(f"unknown kind of loss {kind!r}; known: {', '.join(CHECKS)}")
    if not 0 < scale < float("inf"):
        raise ValueError(f"the scale must be positive and finite, got {scale}; 1 is a loss that is the cost itself")
    if channels < 1:
        raise ValueError(f"the maps need at least one channel, got {channels}")
    probe = Probe(loss, seed, scale, channels)
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), _eval_mode(loss):
        return [_verdict(check, probe) for check in CHECKS[kind]]


def assert_conforms(
    loss: FeatureMapLoss, kind: Kind = "distribution", seed: int = 0, scale: float = 1.0, channels: int = 6
) -> None:
    """Raises unless every check of a kind that applies to the loss holds; for test suites.

    Args:
        loss: See `conformance`; so are the other arguments.
        kind: As there.
        seed: As there.
        scale: As there.
        channels: As there.

    Raises:
        AssertionError: If a check fails; the message lists every failed check with its reason.
        ValueError: As `conformance`.
    """
    verdicts = conformance(loss, kind, seed, scale, channels)
    if failed := [verdict for verdict in verdicts if verdict.passed is False]:
        reasons = "\n".join(f"- {verdict.name}: {verdict.said}" for verdict in failed)
        raise AssertionError(
            f"{loss_name(loss)} fails {len(failed)} of {len(verdicts)} checks of a {kind} loss:\n{reasons}"
        )


def loss_name(loss: FeatureMapLoss) -> str:
    """Returns a function's name, or the name of an object's class."""
    return str(getattr(loss, "__name__", type(loss).__name__))


@contextmanager
def _eval_mode(loss: FeatureMapLoss) -> Iterator[None]:
    modes = {module: module.training for module in loss.modules()} if isinstance(loss, nn.Module) else {}
    for module in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _verdict(check: Check, probe: Probe) -> Verdict:
    try:
        passed, said = check.run(probe)
    except UnfitLossError as failure:
        passed, said = False, str(failure)
    return Verdict(check.name, passed, said)
