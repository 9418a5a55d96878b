"""How well a network in training restores photographs that it does not see."""

from pathlib import Path

import torch
from torch import nn

from pdloss.datasets import Degrade, OwnPairs, Pairs, Photographs
from pdloss.metrics import CEILING, psnr
from pdloss.ops.color import quantize
from pdloss.training.watching import Picture

_SHOWN = 4
"""How many photographs a watcher is shown."""


class Validation:
    """Restores a folder of photographs, always degraded alike, and measures PSNR as `pdloss.evaluate` does.

    Args:
        folder: The photographs.
        degradation: What the network is trained for.
        device: Where the network is.
        degraded: The photographs' degraded ones, of a set of pairs, to take instead.

    Raises:
        ImageError: If the folder holds no image, or a damaged one.
    """

    def __init__(self, folder: Path, degradation: Degrade, device: torch.device, degraded: Path | None = None) -> None:
        self.photographs = (
            Photographs(folder, split="valid") if degraded is None else OwnPairs(folder, degraded, split="valid")
        )
        self.pairs, self.device = Pairs(self.photographs, degradation, seed=0), device

    @torch.no_grad()
    def measure(self, network: nn.Module) -> tuple[float, list[Picture]]:
        """Returns the mean PSNR over the photographs, and the first of them as they come out.

        PSNR is in dB: RGB, whole images after rounding to 8 bits, in float32.
        """
        training = network.training
        network.eval()
        total, pictures = 0.0, []
        for index in range(len(self.pairs)):
            degraded, target, name = self.pairs[index]
            restored = network(degraded[None].to(self.device)).clamp(0, 1)
            total += min(psnr(quantize(restored), target[None].to(self.device)).item(), CEILING)
            if index < _SHOWN:
                pictures.append(Picture(name, degraded.cpu(), restored[0].cpu(), target.cpu()))
        network.train(training)
        return total / len(self.pairs), pictures
