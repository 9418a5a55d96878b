"""What a loss on features must see, and what it must not."""

from torch import Tensor

from pdloss.conformance import CHECKS, conformance
from tests.conformance.losses import failed, marginals, said


def standardised(maps: Tensor) -> Tensor:
    return (maps - maps.mean((2, 3), keepdim=True)) / maps.std((2, 3), keepdim=True)


def test_dividing_by_the_spread_is_blind_to_contrast_and_breaks_on_dead_channels() -> None:
    verdicts = conformance(lambda u, v: marginals(standardised(u), standardised(v)))
    assert {"sees doubled contrast", "sees shifted mean", "bears dead channels"} <= failed(verdicts)
    assert "the value is nan" in said(verdicts, "bears dead channels")
    safe_value = conformance(lambda u, v: marginals(u, v) + 0 * u.flatten(2).norm(dim=-1).sqrt().sum(1))
    assert failed(safe_value) == {"bears dead channels"}
    assert "of the gradient" in said(safe_value, "bears dead channels")


def test_a_loss_that_sees_nothing_fails_everything_that_must_be_seen() -> None:
    verdicts = conformance(lambda u, v: 0 * u.mean())
    assert {name for name in (check.name for check in CHECKS["distribution"]) if name.startswith("sees")} <= failed(
        verdicts
    )
    assert {"grows as a power", "equals the 1-D cost"} <= failed(verdicts)
