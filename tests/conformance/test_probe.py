"""A user's loss is called so that each mishap becomes words."""

import math

import pytest
import torch
from torch import Tensor

from pdloss.conformance import conformance
from tests.conformance.losses import Loss, failed, marginals, said


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


def test_a_value_that_is_infinite_everywhere_is_told_without_a_traceback() -> None:
    verdicts = conformance(lambda u, v: marginals(u, v) + math.inf)
    assert {"zero at equality", "grows as a power", "equals the 1-D cost"} <= failed(verdicts)
    assert "have the values inf, inf, inf" in said(verdicts, "grows as a power")
