"""Each check: what fails it, what it says then, and what does not concern it."""

import math

import pytest
import torch
from torch import Tensor

from pdloss.conformance import conformance
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
