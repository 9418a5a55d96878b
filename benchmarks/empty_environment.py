"""Builds wheel and sdist, installs each in an empty environment, lowest and newest versions, and tries it.

    python -m benchmarks.empty_environment

The wheel is installed with the lowest versions that pyproject.toml admits, and the sdist with the newest, by uv
(`pip install uv`), which finds other Pythons too.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

ROOT = Path(__file__).resolve().parent.parent
WORKS = """
import torch, pdloss
loss = pdloss.ProjectedDistributionLoss("distilled.relu3_4")
image = torch.rand(1, 3, 32, 32)
assert loss(image, image) == 0 and loss(image, image / 2) > 0
"""
TRAINS = ["train", "--data", "deadleaves(images=4)", "--loss", "l1", "--steps", "2", "--crop", "16", "--batch", "2",
          "--network", "edsr(blocks=1, width=8, unshuffle=2)"]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is tried."""

    python: str = sys.executable
    """Interpreter, or a version such as 3.14 that uv finds."""
    hold: tuple[str, ...] = ()
    """Requirements that hold for both, such as torch==2.13.0 where no other can be had."""
    kinds: tuple[Literal["lowest", "newest"], ...] = ("lowest", "newest")
    """Versions to try."""
    extras: tuple[str, ...] = ("report", "study")
    """Extras that are installed too."""


def built(folder: Path) -> dict[str, Path]:
    """Returns the wheel, for the lowest versions, and the sdist, for the newest."""
    for kind in ("wheel", "sdist"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {"lowest": next(folder.glob("*.whl")), "newest": next(folder.glob("*.tar.gz"))}


def requirements(options: Options) -> list[str]:
    """Returns every requirement of ours and of the extras, but for those that are held."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(text for name in options.extras for text in extras[name])]
    held = {text.partition("==")[0] for text in options.hold}
    return [text for text in asked if re.split(r"[\[>=]", text)[0] not in held]


def commands(options: Options, kind: str, package: Path, place: Path) -> list[list[str]]:
    """Returns what makes an environment, installs the package there with the versions asked for, and tries it."""
    python = str(place / "environment" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    wanted = f"pdloss[{','.join(options.extras)}] @ {package.as_uri()}"
    # Named here, each is taken at its lowest, of those versions that have a wheel for this Python.
    low = ["--resolution", "lowest-direct", "--no-build", *requirements(options)] if kind == "lowest" else []
    return [
        ["uv", "venv", "--quiet", "--python", options.python, str(place / "environment")],
        ["uv", "pip", "install", "--quiet", "--python", python, wanted, *low, *options.hold],
        ["uv", "pip", "list", "--python", python],
        [python, "-W", "ignore", "-c", WORKS],
        [python, "-m", "pdloss", "--version"],
        [python, "-W", "ignore", "-m", "pdloss", *TRAINS, "--out", str(place / "run")],
    ]


def main(options: Options) -> int:
    """Tries both, and returns 0 if all went well."""
    if shutil.which("uv") is None:
        print("uv is not installed: pip install uv", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        packages = built(Path(folder) / "dist")
        for kind in options.kinds:
            place = Path(folder) / kind
            place.mkdir()
            print(f"== {packages[kind].name}, {kind} versions", flush=True)
            for command in commands(options, kind, packages[kind], place):
                subprocess.run(command, check=True, cwd=place)
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
