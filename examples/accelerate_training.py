"""The loss in a loop of Hugging Face's accelerate: several GPUs, mixed precision, the same lines.

accelerate launch examples/accelerate_training.py PHOTOGRAPH
"""

from collections.abc import Iterable
from pathlib import Path

import torch
import tyro
from accelerate import Accelerator
from torch import Tensor, nn

import pdloss
from pdloss.images import read_image

TEXT = "l1 + 0.05*multilayer_pdl + 0.5*phase"


def fit(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], text: str = TEXT, lr: float = 1e-3
) -> list[float]:
    """Trains the network, and returns the loss of every step.

    Args:
        network: Degraded → restored.
        batches: Degraded and target, RGB in [0, 1], (B, 3, H, W).
        text: Sum of losses.
        lr: Learning rate of Adam.
    """
    accelerator = Accelerator()
    criterion = pdloss.objective(text).build().to(accelerator.device)  # nothing in it is trained: no need to prepare it
    network, optimiser, batches = accelerator.prepare(network, torch.optim.Adam(network.parameters(), lr), batches)
    losses = []
    for degraded, target in batches:
        with accelerator.autocast():
            restored = network(degraded.to(accelerator.device))
        terms = criterion(restored, target.to(accelerator.device))
        optimiser.zero_grad()
        accelerator.backward(terms.total)
        optimiser.step()
        losses.append(terms.total.item())
    return losses


def train(photograph: tyro.conf.Positional[Path], steps: int = 100) -> None:
    """Trains a toy network to take noise off one photograph."""
    target = read_image(photograph)[:, :128, :128]
    pairs = [(target + 0.2 * torch.randn_like(target), target) for _ in range(steps)]
    losses = fit(nn.Conv2d(3, 3, 5, padding=2), torch.utils.data.DataLoader(pairs))
    print(f"{losses[0]:.4f} → {losses[-1]:.4f}")


if __name__ == "__main__":
    tyro.cli(train)
