"""How known networks answer one picture: by which weights are known when no hash of their file is.

Mean and standard deviation of a few layers' activations, computed from the files whose hashes the catalogue holds. The
picture is a formula, so that no random generator and no file can change it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pdloss._types import Images
from pdloss.features.alexnet import AlexNetFeatures
from pdloss.features.frozen import Frozen
from pdloss.features.squeezenet import SqueezeNetFeatures
from pdloss.features.vgg import VGG16Features, VGG19Features


@dataclass(frozen=True)
class Probe:
    """What a network answers `picture`.

    Args:
        build: Makes the extractor of some layers from a file.
        layers: Layer to mean and standard deviation of its activations.
        tolerance: Largest relative difference that is taken for the same weights.
        first: The tensor whose input channels are the image's colours.
    """

    build: Callable[[list[str], Path], Frozen]
    layers: Mapping[str, tuple[float, float]]
    tolerance: float
    first: str = "features.0.weight"


PROBES = {
    # The ready-made file holds no layer behind relu4_3, so nothing is known of block 5.
    "vgg16-caffe": Probe(
        VGG16Features,
        {
            "relu1_2": (116.968, 200.623),
            "relu2_2": (331.749, 596.772),
            "relu3_3": (328.629, 716.924),
            "relu4_3": (29.3522, 97.1738),
        },
        tolerance=0.02,
    ),
    # The ready-made file is rounded from conv4_1 on, by 4 to 10 % a layer; what the authors released must fit too.
    "vgg19-caffe": Probe(
        VGG19Features,
        {"relu1_2": (97.5834, 168.824), "relu2_2": (190.115, 366.565), "relu3_4": (888.43, 1299.53),
         "relu4_3": (229.74, 477.278), "relu5_1": (62.5105, 142.797)},
        tolerance=0.1,
    ),
    "alexnet-torchvision": Probe(
        AlexNetFeatures,
        {"relu1": (0.928987, 2.10893), "relu2": (1.27976, 3.6301), "relu3": (1.55813, 4.07593),
         "relu5": (0.526617, 1.79954)},
        tolerance=0.02,
    ),
    "squeezenet1_1-torchvision": Probe(
        SqueezeNetFeatures,
        {"relu1": (0.398965, 0.719553), "fire3": (2.82598, 4.90979), "fire5": (10.3236, 17.1587),
         "fire9": (2.64604, 10.6367)},
        tolerance=0.02,
    ),
}  # fmt: skip
"""By the name of the asset."""


def picture(side: int = 64) -> Images:
    """Returns the picture, (1, 3, side, side): waves of several directions in every colour, and a disc's edge."""
    y, x = torch.meshgrid(*2 * [torch.arange(side, dtype=torch.float64)], indexing="ij")
    planes = []
    for colour in range(3):
        slow = torch.cos(2 * math.pi * ((1 + colour) * x + (3 - colour) * y) / side)
        fast = torch.cos(2 * math.pi * ((7 - 2 * colour) * x - (4 + colour) * y) / side + colour)
        disc = (x - 20 - 8 * colour) ** 2 + (y - 30) ** 2 < 200
        planes.append((0.5 + 0.15 * (slow + fast) + 0.2 * disc).clamp(0, 1))
    return torch.stack(planes)[None].float()


@torch.no_grad()
def answers(probe: Probe, weights: Path) -> dict[str, tuple[float, float]]:
    """Returns mean and standard deviation of each layer's activations on the picture, for the weights in a file."""
    maps: Mapping[str, Tensor] = probe.build(list(probe.layers), weights)(picture())
    return {layer: (x.mean().item(), x.std().item()) for layer, x in maps.items()}


def differences(probe: Probe, found: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Returns for each layer how far its activations are from those known, as a share of their standard deviation."""
    gaps = {}
    for layer, (mean, deviation) in probe.layers.items():
        other_mean, other_deviation = found[layer]
        gap = max(abs(other_mean - mean), abs(other_deviation - deviation)) / deviation
        gaps[layer] = gap if math.isfinite(gap) else math.inf
    return gaps
