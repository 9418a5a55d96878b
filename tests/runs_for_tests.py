"""Small photographs and quickly trained runs, for tests that need a run folder."""

from pathlib import Path

import torch

from pdloss.configuration import TrainConfig
from pdloss.images import write_image
from pdloss.training import train


def photographs_in(folder: Path, count: int = 2, height: int = 40, width: int = 50) -> Path:
    """Writes smooth random pictures ``photo0.png``, …"""
    stream = torch.Generator().manual_seed(0)
    for index in range(count):
        coarse = torch.rand(1, 3, 5, 6, generator=stream)
        smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
        write_image(folder / f"photo{index}.png", smooth[0])
    return folder


def trained_run(out: Path, data: Path, **changes: object) -> Path:
    """Trains a tiny network for a few steps."""
    small = {
        "network": "edsr(blocks=1, width=8, unshuffle=2)",
        "degradation": "noise(sigma=0.1)",
        "loss": "l1",
        "steps": 40,
        "batch": 2,
        "crop": 16,
        "lr": 3e-3,
        "log_every": 10,
        "precision": "float32",
    }
    train(TrainConfig(data=data, out=out, **{**small, **changes}))
    return out
