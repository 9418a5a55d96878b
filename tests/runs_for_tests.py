"""Small photographs and quickly trained runs, for tests that need a run folder."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from pdloss.images import write_image
from pdloss.records import read_log
from pdloss.runs import RunFolder
from pdloss.training.configuration import TrainConfig
from pdloss.training.loop import train

SMALL: dict[str, Any] = {
    "network": "edsr(blocks=1, width=8, unshuffle=2)",
    "batch": 2,
    "crop": 16,
    "lr": 1e-3,
    "precision": "float32",
}


def photographs_in(folder: Path, count: int = 2, height: int = 40, width: int = 50) -> Path:
    """Writes smooth random pictures ``photo0.png``, …"""
    stream = torch.Generator().manual_seed(0)
    for index in range(count):
        coarse = torch.rand(1, 3, 5, 6, generator=stream)
        smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
        write_image(folder / f"photo{index}.png", smooth[0])
    return folder


def pairs_in(folder: Path) -> TrainConfig:
    """A training on two pairs of 24x24 pixels and 12x12."""
    sharp = photographs_in(folder / "sharp", count=2, height=24, width=24)
    small = photographs_in(folder / "small", count=2, height=12, width=12)
    return TrainConfig(data=str(sharp), degraded=str(small), out=folder / "run")


def trained_run(out: Path, data: Path, **changes: Any) -> Path:
    """Trains a tiny network for a few steps."""
    usual: dict[str, Any] = {
        "typed": True,
        "degradation": "noise(sigma=0.1)",
        "loss": "l1",
        "steps": 40,
        "lr": 3e-3,
        "log_every": 10,
    }
    train(TrainConfig(data=str(data), out=out, **{**SMALL, **usual, **changes}))
    return out


def config(data: Path, out: Path, **changes: Any) -> TrainConfig:
    """A training of a tiny network for six steps."""
    return TrainConfig(
        data=str(data), out=out, **{**SMALL, "loss": "l1", "steps": 6, "log_every": 2, "typed": True, **changes}
    )


def final_weights(run: Path) -> dict[str, Tensor]:
    """The newest weights of a run."""
    return load_file(RunFolder(run).latest_weights()[1])


def assert_same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    """Fails unless both hold the same names and the same bits."""
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def command(data: Path, out: Path, *options: str) -> list[str]:
    """What a user types to train a tiny network."""
    base = [sys.executable, "-m", "pdloss", "train", "--data", str(data), "--out", str(out)]
    small = ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--batch", "2", "--crop", "16", "--lr", "1e-3"]
    return [*base, *small, *options]


UNHURRIED = (
    "import multiprocessing, sys, time; multiprocessing.set_start_method(sys.argv.pop(1));"
    "from pdloss.training.supply import Supply; take = Supply.take;"
    "Supply.take = lambda supply: time.sleep(0.05) or take(supply);"
    "from pdloss.cli import main; sys.exit(main(sys.argv[1:]))"
)
"""Runs a command, after the start method of its processes, with a pause before each step of a training.

Who is to stop it after a few steps may be kept waiting by a busy machine for longer than all steps would take. The
pause changes no bit.
"""


def trains(process: subprocess.Popen[str], out: Path) -> bool:
    """Waits for the first steps; returns whether it still goes on."""
    while len(read_log(out / "log.jsonl")) < 3 and process.poll() is None:
        time.sleep(0.001)
    return process.poll() is None
