"""Trains two small denoisers that differ in nothing but their loss, and compares them on one page.

    make demo        or, where pdloss[demo] is installed:        python examples/demo.py

It prints every command before running it; each also works by itself. Everything is written below ./demo. The
photographs are those inside scikit-image: nothing is downloaded, and a score that needs weights which are not on this
machine is left out. Run again, it goes on where it stopped.
"""

import os
import shlex
from pathlib import Path

import skimage.data
import tyro
from PIL import Image

from pdloss import cli
from pdloss.training.recommendations import recommended

TRAIN = ("astronaut", "brick", "camera", "coins", "gravel", "immunohistochemistry", "motorcycle", "rocket")
HELD_OUT = ("chelsea", "coffee", "grass")

LOSSES = {
    "l1": "l1",
    "l1-pdl": recommended("distilled.relu4_3"),
}


def demo(out: Path = Path("demo"), steps: int = 1500) -> None:
    """Trains, evaluates and reports.

    Args:
        out: Folder for all that is made.
        steps: Optimiser steps of each training.
    """
    os.environ.setdefault("PDLOSS_OFFLINE", "1")
    save(TRAIN, out / "photographs" / "train")
    save(HELD_OUT, out / "photographs" / "held-out")
    runs = []
    for name, loss in LOSSES.items():
        runs.append(str(out / "runs" / name))
        run("train", "--data", str(out / "photographs" / "train"), "--out", runs[-1], "--loss", loss,
            "--degradation", "noise(sigma=50/255)", "--network", "edsr(blocks=6, width=48, unshuffle=2)",
            "--steps", str(steps), "--batch", "8", "--crop", "64", "--lr", "1e-3", "--seed", "0")  # fmt: skip
    run("evaluate", *runs, "--data", str(out / "photographs" / "held-out"), "--metrics", "psnr,ms_ssim,sharpness,lpips")
    run("report", *runs, "--out", str(out / "report"))


def run(*arguments: str) -> None:
    """Prints a command and runs it, in this process; ends the demo if it fails."""
    print(f"\n$ pdloss {shlex.join(arguments)}", flush=True)
    if status := cli.main(arguments):
        raise SystemExit(status)


def save(names: tuple[str, ...], folder: Path) -> None:
    """Writes photographs of scikit-image as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / f"{name}.png").exists():
            Image.fromarray(photograph(name)).convert("RGB").save(folder / f"{name}.png")


def photograph(name: str) -> "skimage.data.ndarray":
    """Returns the pixels of one photograph; of the stereo pair, its left half."""
    return skimage.data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(skimage.data, name)()


if __name__ == "__main__":
    tyro.cli(demo)
