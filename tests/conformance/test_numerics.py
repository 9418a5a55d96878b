"""What any loss owes a training, and how the lack of it is told."""

import torch
from torch import Tensor

from pdloss.conformance import conformance
from pdloss.losses import perceptual_loss
from tests.conformance.losses import failed, marginals, said


class Unseeded:
    """Directions from a generator of its own, which goes on from call to call."""

    def __init__(self) -> None:
        self.stream = torch.Generator().manual_seed(1)

    def __call__(self, u: Tensor, v: Tensor) -> Tensor:
        weights = torch.rand(u.shape[1], generator=self.stream).view(1, -1, 1, 1) + 0.5
        return marginals(weights * u, weights * v)


def test_a_generator_that_nobody_can_seed_is_found_out() -> None:
    verdicts = conformance(Unseeded())
    assert "same under one seed" in failed(verdicts)
    assert "a generator of its own" in said(verdicts, "same under one seed")


def test_a_loss_that_is_not_symmetric_is_noted_not_refused() -> None:
    verdicts = conformance(lambda u, v: perceptual_loss(u, v) / v.flatten(1).std(1), "perceptual")
    assert "not symmetric" in said(verdicts, "symmetric")
    assert "symmetric" not in failed(verdicts)
