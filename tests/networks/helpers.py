"""What the tests of every network need: an image, a count, small networks trained on one pair, published graphs."""

from collections.abc import Callable, Sequence

import numpy as np
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


def check_published_graph(
    net: nn.Module, published: Callable[[np.ndarray], Sequence[np.ndarray]], planes: bool
) -> None:
    """Compares every scale with that of the authors' graph on arrays (B, H, W, C), or on colour planes as images."""
    image = picture(1, 3, 16, 32)
    axes = (1, 2, 3, 0) if planes else (0, 2, 3, 1)
    back = (3, 0, 1, 2) if planes else (0, 3, 1, 2)
    for scale, expected in zip(net.forward_scales(image), published(image.permute(*axes).numpy()), strict=True):
        assert np.ptp(expected) > 0.01
        torch.testing.assert_close(scale, torch.from_numpy(expected).permute(*back), rtol=1e-9, atol=1e-9)
