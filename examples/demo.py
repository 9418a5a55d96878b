"""Teaches a small network to enlarge photographs four times, with and without a distribution loss, and compares them.

    make demo        or, where pdloss[demo] is installed:        python examples/demo.py

It prints every command before running it; each also works by itself. Everything is written below ./demo. The
photographs are those inside scikit-image and matplotlib. The weights of LPIPS, which judges how the pictures look, come
out of a Python package; where that cannot be had, LPIPS is left out, and the page says so. Run again, it goes on where
it stopped.
"""

import shlex
from pathlib import Path

import skimage.data
import tyro
from matplotlib import cbook
from PIL import Image

from pdloss import cli

TRAIN = ("astronaut", "brick", "camera", "coins", "gravel", "immunohistochemistry", "motorcycle")
HELD_OUT = ("chelsea", "clock", "coffee", "grass", "hopper", "hubble_deep_field", "moon", "retina", "rocket")

NETWORK = "edsr(scale=4, blocks=6, width=48, upsampling='resize')"
LOSSES = {
    "l1": "l1",
    "l1-pdl": "l1 + 0.2*multilayer_pdl + 0.25*phase",  # four times the weight to start from: experiments/features
}


def demo(out: Path = Path("demo"), start: int = 1000, steps: int = 300) -> None:
    """Trains, evaluates and reports.

    Args:
        out: Folder for all that is made.
        start: Optimiser steps with `l1` that both networks begin with.
        steps: Optimiser steps of each loss from there.
    """
    save(TRAIN, out / "photographs" / "train")
    save(HELD_OUT, out / "photographs" / "held-out")
    if pdloss("assets", "get", "lpips-alex", "alexnet-torchvision"):
        print("The weights of LPIPS are not to be had here: how the pictures look is not measured.", flush=True)
    same = ("--task", "sr", "--data", str(out / "photographs" / "train"), "--network", NETWORK,
            "--batch", "8", "--crop", "96", "--seed", "0")  # fmt: skip
    begun = str(out / "runs" / "start")
    run("train", *same, "--out", begun, "--loss", "l1", "--steps", str(start), "--lr", "1e-3")
    runs = [str(out / "runs" / name) for name in LOSSES]
    for folder, loss in zip(runs, LOSSES.values(), strict=True):
        run("train", *same, "--out", folder, "--init", begun, "--loss", loss, "--steps", str(steps), "--lr", "3e-4")
    held_out = str(out / "photographs" / "held-out")
    run("evaluate", *runs, "--data", held_out, "--metrics", "psnr,lpips,sharpness,grid,blocks")
    run("report", *runs, "--out", str(out / "report"))


def pdloss(*arguments: str) -> int:
    """Prints a command, runs it in this process, and returns its exit status."""
    print(f"\n$ pdloss {shlex.join(arguments)}", flush=True)
    return cli.main(arguments)


def run(*arguments: str) -> None:
    """Runs a command, and ends the demo if it fails."""
    if status := pdloss(*arguments):
        raise SystemExit(status)


def save(names: tuple[str, ...], folder: Path) -> None:
    """Writes photographs as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / f"{name}.png").exists():
            photograph(name).convert("RGB").save(folder / f"{name}.png")


def photograph(name: str) -> Image.Image:
    """Returns one photograph; of the stereo pair, its left half."""
    if name == "hopper":  # Grace Hopper, in the public domain
        with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as opened:
            return opened.convert("RGB")
    return Image.fromarray(
        skimage.data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(skimage.data, name)()
    )


if __name__ == "__main__":
    tyro.cli(demo)
