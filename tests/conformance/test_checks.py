"""Each check: what fails it, what it says then, and what does not concern it."""

import math

import pytest
import torch
from torch import Tensor

from pdloss.conformance import CHECKS, conformance
from pdloss.losses import perceptual_loss
from tests.conformance.losses import Loss, failed, marginals, said


class OutOfPlace(torch.autograd.Function):
    """The right value, and slopes in the order of ranks, not of places."""

    @staticmethod
    def forward(ctx, u: Tensor, v: Tensor) -> Tensor:
        ordered = u.flatten(2).sort(-1).values
        ctx.save_for_backward((ordered - v.flatten(2).sort(-1).values).sign().view_as(u) / u[0].numel())
        return marginals(u, v)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.view(-1, 1, 1, 1) * ctx.saved_tensors[0], None


class Unseeded:
    """Directions from a generator of its own, which goes on from call to call."""

    def __init__(self) -> None:
        self.stream = torch.Generator().manual_seed(1)

    def __call__(self, u: Tensor, v: Tensor) -> Tensor:
        weights = torch.rand(u.shape[1], generator=self.stream).view(1, -1, 1, 1) + 0.5
        return marginals(weights * u, weights * v)


def raises_in_bfloat16(u: Tensor, v: Tensor) -> Tensor:
    if u.dtype == torch.bfloat16:
        raise TypeError("bfloat16\nis not for me")
    return marginals(u, v)


def one_law_for_all(maps: Tensor) -> Tensor:
    return maps.flatten(1)[:, None, :, None]


def standardised(maps: Tensor) -> Tensor:
    return (maps - maps.mean((2, 3), keepdim=True)) / maps.std((2, 3), keepdim=True)


@pytest.mark.parametrize(
    ("loss", "expected", "check", "reason"),
    [
        (lambda u, v: marginals(u, v) + 1, {"zero at equality", "grows as a power", "equals the 1-D cost"},
         "zero at equality", "have the value 1"),
        (lambda u, v: (u.flatten(2).sort(-1).values - v.flatten(2).sort(-1).values).square().mean((1, 2)).sqrt(),
         {"zero at equality"}, "zero at equality", "epsilon inside"),
        (lambda u, v: marginals(one_law_for_all(u), one_law_for_all(v)), {"sees shuffled channels"},
         "sees shuffled channels", "channels are pooled"),
        (lambda u, v: marginals(u - u.mean((2, 3), keepdim=True), v - v.mean((2, 3), keepdim=True)),
         {"sees shifted mean", "grows as a power", "equals the 1-D cost", "gradient follows ranks"},
         "sees shifted mean", "mean is taken away"),
        (lambda u, v: (u.mean((2, 3)) - v.mean((2, 3))).abs().mean(1),
         {"sees blur", "equals the 1-D cost", "gradient follows ranks"}, "sees blur", "only means"),
        (lambda u, v: marginals(u, v).tanh(), {"grows as a power", "equals the 1-D cost"},
         "grows as a power", "saturates"),
        (lambda u, v: 3 * marginals(u, v), {"equals the 1-D cost"},
         "equals the 1-D cost", "it is 3 times W1, expected 1 times: declare the scale"),
        (lambda u, v: marginals(u, v) / v.flatten(1).std(1), {"equals the 1-D cost"},
         "equals the 1-D cost", "where W1 is 0.7, 0.398, 0.7"),
        (OutOfPlace.apply, {"gradient follows ranks", "gradient is the slope"},
         "gradient follows ranks", "back in another order"),
        (lambda u, v: marginals(u, v).detach() + 0 * u.sum(),
         {"gradient follows ranks", "gradient is the slope"}, "gradient is the slope", "the gradient says 0"),
        (lambda u, v: marginals(u, v).sum(), {"batch is the mean of its images"},
         "batch is the mean of its images", "it sums over the batch"),
        (lambda u, v: marginals(*(x.transpose(0, 1).flatten(1)[None, :, :, None] for x in (u, v))).mean(),
         {"batch is the mean of its images"}, "batch is the mean of its images", "it mixes the images"),
        (lambda u, v: marginals(u, v).flip(0), {"batch is the mean of its images"},
         "batch is the mean of its images", "it mixes the images"),
        (raises_in_bfloat16, {"same in every number format"},
         "same in every number format", "raised TypeError: bfloat16 is not for me"),
        (lambda u, v: marginals(u, v) * (1.01 if u.dtype == torch.float64 else 1),
         {"same in every number format"}, "same in every number format", "it computes in the format"),
        (lambda u, v: marginals(u, v) * (math.inf if u.dtype == torch.bfloat16 else 1),
         {"same in every number format"}, "same in every number format", "not finite"),
    ],
    ids=["offset", "root", "pooled channels", "centred", "means", "saturated", "tripled", "not a cost", "misplaced",
         "detached", "summed", "pooled batch", "reversed batch", "raises", "other in float64", "infinite in bfloat16"],
)  # fmt: skip
def test_each_mistake_fails_the_checks_that_are_about_it(
    loss: Loss, expected: set[str], check: str, reason: str
) -> None:
    verdicts = conformance(loss)
    assert failed(verdicts) == expected
    assert reason in said(verdicts, check)


def test_dividing_by_the_spread_is_blind_to_contrast_and_breaks_on_dead_channels() -> None:
    verdicts = conformance(lambda u, v: marginals(standardised(u), standardised(v)))
    assert {"sees doubled contrast", "sees shifted mean", "bears dead channels"} <= failed(verdicts)
    assert "the value is nan" in said(verdicts, "bears dead channels")
    safe_value = conformance(lambda u, v: marginals(u, v) + 0 * u.flatten(2).norm(dim=-1).sqrt().sum(1))
    assert failed(safe_value) == {"bears dead channels"}
    assert "of the gradient" in said(safe_value, "bears dead channels")


def test_a_generator_that_nobody_can_seed_is_found_out() -> None:
    verdicts = conformance(Unseeded())
    assert "same under one seed" in failed(verdicts)
    assert "a generator of its own" in said(verdicts, "same under one seed")


def test_a_loss_that_sees_nothing_fails_everything_that_must_be_seen() -> None:
    verdicts = conformance(lambda u, v: 0 * u.mean())
    assert {name for name in (check.name for check in CHECKS["distribution"]) if name.startswith("sees")} <= failed(
        verdicts
    )
    assert {"grows as a power", "equals the 1-D cost"} <= failed(verdicts)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (lambda u, v: 0.0, "returned a float; expected a tensor"),
        (lambda u, v: (u - v).abs().mean((2, 3)), r"returned the shape (1, 6) for maps (1, 6, 10, 14)"),
        (lambda u, v: (u > v).sum(), "returned a tensor of torch.int64"),
        (lambda u: u.mean(), "raised TypeError"),
        (lambda u, v: u.mean().item() * torch.ones(()), "does not depend on the restored features"),
        (lambda u, v: v.clone().requires_grad_().mean(), "no gradient reaches the restored features"),
    ],
    ids=["number", "per channel", "counts", "one argument", "item", "target only"],
)
def test_what_is_no_loss_fails_with_words_and_no_traceback(loss: Loss, reason: str) -> None:
    verdicts = conformance(loss)
    assert reason in said(verdicts, "zero at equality")
    assert "zero at equality" in failed(verdicts)


def test_an_error_in_the_backward_pass_is_told_too() -> None:
    class Stuck(torch.autograd.Function):
        @staticmethod
        def forward(ctx, u: Tensor) -> Tensor:
            return u.clone()

        @staticmethod
        def backward(ctx, gradient: Tensor) -> Tensor:
            raise ArithmeticError("stuck")

    verdicts = conformance(lambda u, v: marginals(Stuck.apply(u), v))
    assert "its gradient raised ArithmeticError: stuck" in said(verdicts, "zero at equality")


def test_a_loss_for_several_channels_only_is_not_judged_on_a_line() -> None:
    def in_pairs(u: Tensor, v: Tensor) -> Tensor:
        if u.shape[1] < 2:
            raise ValueError("pairs need two channels")
        return marginals(u + u.roll(1, 1), v + v.roll(1, 1))

    verdicts = {verdict.name: verdict for verdict in conformance(in_pairs)}
    for name in ("equals the 1-D cost", "gradient follows ranks"):
        assert verdicts[name].passed is None
        assert "pairs need two channels" in verdicts[name].said
    assert not failed(list(verdicts.values()))


def test_a_loss_that_is_not_symmetric_is_noted_not_refused() -> None:
    verdicts = conformance(lambda u, v: perceptual_loss(u, v) / v.flatten(1).std(1), "perceptual")
    assert "not symmetric" in said(verdicts, "symmetric")
    assert "symmetric" not in failed(verdicts)


def test_every_check_says_in_one_sentence_why_it_must_hold() -> None:
    for checks in CHECKS.values():
        assert len({check.name for check in checks}) == len(checks)
        assert all(check.why.endswith(".") and len(check.why) > 40 for check in checks)


def test_a_value_that_is_infinite_everywhere_is_told_without_a_traceback() -> None:
    verdicts = conformance(lambda u, v: marginals(u, v) + math.inf)
    assert {"zero at equality", "grows as a power", "equals the 1-D cost"} <= failed(verdicts)
    assert "have the values inf, inf, inf" in said(verdicts, "grows as a power")
