"""DsDeblur, or PSS-NSC (Gao et al. 2019, "Dynamic Scene Deblurring with Parameter Selective Sharing and Nested Skip
Connections"), as its authors' code defines it.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor, nn

from pdloss.networks.blocks import conv_relu_conv
from pdloss.networks.multiscale import FACTORS, LevelChanges, MultiScaleNetwork, Resize
from pdloss.specs import Choice


@dataclass(frozen=True)
class DsDeblur(Choice, name="dsdeblur"):
    """Three scales that share what works within a level, and have each their own layers between levels.

    Args:
        width: Channels at full size: 32 as published.
        planes: Whether each colour plane is restored by itself, as published.
        resize: How images go from scale to scale: ``antialiased``, or ``tf1`` as published, which decimates them and
            is what weights trained in TensorFlow expect.
        detach: Whether the gradient stops between scales, as in the published graph, for training with a loss at every
            scale; with one at the finest alone, the coarser scales' own layers would then stay as they were drawn.
    """

    width: Annotated[int, Meta(ge=1, le=4096)] = 32
    planes: bool = True
    resize: Resize = "antialiased"
    detach: bool = False

    def build(self) -> MultiScaleNetwork:
        """Returns the network with fresh weights, drawn from torch's global generator.

        Each branch begins at a tenth. As drawn for the published graph, each would add half the energy that it is
        fed with: 48 in a row and three scales on, restored images would have values about 10⁹.
        """
        stages = [NestedSkips(self.width * factor) for factor in (1, 2, 4, 4, 2, 1)]
        network = MultiScaleNetwork(
            [LevelChanges(1 if self.planes else 3, self.width, kernel=3) for _ in FACTORS],
            stages,
            planes=self.planes,
            resize=self.resize,
            detach=self.detach,
            residual=True,
        )
        with torch.no_grad():
            for stage in stages:
                for branch in stage.branches:
                    branch.get_parameter("2.weight").mul_(0.1)
        return network


class NestedSkips(nn.Module):
    """Four pairs of convolutions, each fed with the sum of all before it; gone through twice with the same weights.

    Args:
        width: Channels, in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(conv_relu_conv(width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the sum of the input and of all that the branches added to it."""
        for _ in range(2):
            for branch in self.branches:
                x = x + branch(x)
        return x
