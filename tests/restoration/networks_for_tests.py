"""Small networks of every kind, with weights that do something."""

import torch
from torch import nn

from pdloss import networks

LOCAL = (
    "edsr(blocks=2, width=8)",
    "edsr(blocks=2, width=8, unshuffle=3)",
    "edsr(scale=3, blocks=1, width=8)",
    "srresnet(scale=2, blocks=1, width=8)",
    "srn(width=2, lstm=True)",
    "dsdeblur(width=2, planes=False)",
)
"""One of each network whose pixels depend on what is near."""
WHOLE = "nafnet(width=4, encoder=(1, 1), middle=1, decoder=(1, 1))"
"""One that averages over the whole picture."""


def built(text: str, gain: float = 1.0) -> nn.Module:
    """A network with weights drawn from one seed; those that begin as nothing are drawn too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = networks.network(text)
        for parameter in network.parameters():
            if not parameter.any() and parameter.ndim == 4:
                nn.init.normal_(parameter, std=0.5)
            with torch.no_grad():
                parameter.mul_(gain)
    return network.eval()


class Mean(nn.Module):
    """Takes a quarter of the mean of everything away; does nothing else."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean((-2, -1), keepdim=True) / 4


class Box(nn.Module):
    """The mean over a square, `reach` pixels to each side: how far it looks is known."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += len(x)
        side = 2 * self.reach + 1
        return nn.functional.avg_pool2d(nn.functional.pad(x, (self.reach,) * 4, mode="replicate"), side, 1)
