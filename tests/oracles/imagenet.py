"""Convolutions of ImageNet networks as torchvision lines them up, with random weights under torchvision's keys."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

_VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of each convolution; 0 is a pooling."""


class Fire(nn.Module):
    """Squeezes the channels, expands them by two convolutions, and joins the results."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def alexnet() -> nn.Sequential:
    """The features of AlexNet."""
    return _random(
        nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        )
    )


def squeezenet() -> nn.Sequential:
    """The features of SqueezeNet 1.1."""
    return _random(
        nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        )
    )


def vgg16() -> nn.Sequential:
    """The features of VGG16."""
    layers: list[nn.Module] = []
    before = 3
    for channels in _VGG16:
        if channels:
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        else:
            layers.append(nn.MaxPool2d(2))
    return _random(nn.Sequential(*layers))


def write(network: nn.Sequential, path: Path, convention: str = "RGB, random weights") -> Path:
    """Writes the weights as torchvision names them."""
    tensors = {f"features.{name}": tensor for name, tensor in network.state_dict().items()}
    save_file(tensors, path, {"input_convention": convention})
    return path


def _random(network: nn.Sequential) -> nn.Sequential:
    stream = torch.Generator().manual_seed(7)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=stream)
            nn.init.normal_(module.bias, std=0.1, generator=stream)
    return network.requires_grad_(requires_grad=False)
