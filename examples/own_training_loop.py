"""The projected distribution loss in a training loop of your own: one more term, beside the pixel loss.

    python examples/own_training_loop.py PHOTOGRAPH

Trains a toy network to take noise off one photograph, on features that ship with pdloss.
"""

from pathlib import Path

import torch
import tyro
from torch import nn

import pdloss
from pdloss.images import read_image


def train(photograph: tyro.conf.Positional[Path], steps: int = 100, weight: float = 0.05) -> list[float]:
    """Trains, and returns the loss of every step.

    Args:
        photograph: An image file.
        steps: Optimiser steps.
        weight: Weight of the distribution loss, as recommended for it; when enlarging, add 0.5 of `pdloss.Phase`.
    """
    torch.manual_seed(0)
    target = read_image(photograph)[None, :, :128, :128]
    network = nn.Sequential(nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 3, 5, padding=2))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    pixels = nn.L1Loss()
    distribution = pdloss.MultilayerPDL().build()  # expects RGB in [0, 1]

    losses = []
    for step in range(steps):
        degraded = target + 0.2 * torch.randn_like(target)
        restored = degraded + network(degraded)
        loss = pixels(restored, target) + weight * distribution(restored, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if step % 10 == 0:
            print(f"step {step:3d}  loss {losses[-1]:.4f}")
    return losses


if __name__ == "__main__":
    tyro.cli(train)
