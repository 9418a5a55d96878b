"""A small feature extractor without pretrained weights, and descent on an image, for tests of losses."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TinyFeatures(nn.Module):
    """Two frozen random convolutions, (B, 3, H, W) → (B, 5, H/2, W/2); counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        stream = torch.Generator().manual_seed(3)
        self.register_buffer("kernel", torch.randn(5, 3, 3, 3, generator=stream), persistent=False)
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        return F.avg_pool2d(F.conv2d(images, self.kernel, padding=1).relu(), 2)


def share_left(
    loss: Callable[[Tensor, Tensor], Tensor],
    restored: Tensor,
    target: Tensor,
    optimiser: torch.optim.Optimizer,
    steps: int,
) -> float:
    """Returns what is left of the loss after some steps of the optimiser, as a share of what it was."""
    before = loss(restored, target).item()
    for _ in range(steps):
        optimiser.zero_grad()
        loss(restored, target).backward()
        optimiser.step()
    return loss(restored, target).item() / before
