"""Backbones with random weights, for promises that hold whatever a network has learned."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pdloss import assets
from tests.oracles import imagenet

_HEADS = {
    "lpips-alex": (64, 192, 384, 256, 256),
    "lpips-squeeze": (64, 128, 256, 384, 384, 512, 512),
    "lpips-vgg": (64, 128, 256, 512, 512),
}


def use_random_weights(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Writes every file that a metric needs, and has them found by name."""
    stream = torch.Generator().manual_seed(1)
    imagenet.write(imagenet.vgg16(), folder / "vgg16-torchvision.safetensors")
    imagenet.write(imagenet.squeezenet(), folder / "squeezenet1_1-torchvision.safetensors")
    imagenet.write(imagenet.alexnet(), folder / "alexnet-torchvision.safetensors")
    for name, sizes in _HEADS.items():
        heads = {f"lin{i}.weight": torch.rand(1, n, 1, 1, generator=stream) for i, n in enumerate(sizes)}
        save_file(heads, folder / f"{name}.safetensors")
    save_file({name: torch.rand(1475, generator=stream) for name in ("alpha", "beta")}, folder / "dists.safetensors")
    patch.setattr(assets, "path", lambda name, progress=True: folder / f"{name}.safetensors")
