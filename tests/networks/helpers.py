"""What the tests of every network need: an image, a count, small networks trained on one pair."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def picture(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def errors_on_one_pair(net: nn.Module, degraded: Tensor, target: Tensor, steps: int, lr: float) -> list[float]:
    """The squared errors of a training on one pair, step by step."""
    optimiser = torch.optim.Adam(net.parameters(), lr)
    errors = []
    for _ in range(steps):
        error = F.mse_loss(net(degraded), target)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(error.item())
    return errors
