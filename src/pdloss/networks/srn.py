"""SRN (Tao et al. 2018, https://arxiv.org/abs/1802.01770), as its authors' code defines it."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from torch import nn

from pdloss.networks.blocks import ResidualBlock
from pdloss.networks.multiscale import LevelChanges, Memory, MultiScaleNetwork, Resize
from pdloss.specs import Choice


@dataclass(frozen=True)
class SRN(Choice, name="srn"):
    """The scale-recurrent network: three scales with the same weights; the defaults are the published ``color`` one.

    Args:
        width: Channels at full size: 32 as published.
        lstm: Whether a convolutional LSTM carries what was seen from scale to scale; published for single planes.
        planes: Whether each colour plane is restored by itself, as in the published ``gray`` and ``lstm`` models.
        resize: How images go from scale to scale: ``antialiased``, or ``tf1`` as published, which decimates them and
            is what weights trained in TensorFlow expect.
        detach: Whether the gradient stops between scales, as published. All weights learn at the finest scale too.
    """

    width: Annotated[int, Meta(ge=1, le=4096)] = 32
    lstm: bool = False
    planes: bool = False
    resize: Resize = "antialiased"
    detach: bool = True

    def build(self) -> MultiScaleNetwork:
        """Returns the network with fresh weights, drawn from torch's global generator."""
        return MultiScaleNetwork(
            [LevelChanges(1 if self.planes else 3, self.width, kernel=5)],
            [_residual_blocks(self.width * factor) for factor in (1, 2, 4, 4, 2, 1)],
            Memory(4 * self.width) if self.lstm else None,
            planes=self.planes,
            resize=self.resize,
            detach=self.detach,
            residual=False,
        )


def _residual_blocks(width: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width, kernel=5) for _ in range(3)))
