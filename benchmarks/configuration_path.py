"""The way of the options of ``pdloss train`` to the first step: which modules they enter, and which ones twice.

    python benchmarks/configuration_path.py

A training of one step on drawn leaves is followed by Python's own profiling hook. An entry is a call of a function of
pdloss that is given the options, or what holds them (``Resolved``, ``Setup``), other than the making of these. Where
the options enter a module that they have been in and left, the way goes back; a straight way never does.
"""

import sys
import tempfile
from pathlib import Path
from types import FrameType

from pdloss.commands.train import main
from pdloss.training.configuration import TrainConfig
from pdloss.training.resolving import Resolved
from pdloss.training.setup import Setup
from pdloss.training.trainer import Trainer

HOLDERS = TrainConfig, Resolved, Setup


def way(arguments: list[str]) -> list[tuple[str, str]]:
    """Returns the modules entered on the way, in order, each with the function by which it was entered."""
    found: list[tuple[str, str]] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        code, module = frame.f_code, str(frame.f_globals.get("__name__", ""))
        if code.co_qualname == Trainer.step.__qualname__:
            sys.setprofile(None)
        if event != "call" or not module.startswith("pdloss.") or code.co_name in ("__init__", "__new__"):
            return
        given = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
        entered = any(isinstance(value, HOLDERS) for value in given)
        if entered and (not found or found[-1][0] != module):
            found.append((module, code.co_name))

    sys.setprofile(watch)
    try:
        main(arguments)
    finally:
        sys.setprofile(None)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        train = ["--data", "deadleaves(images=2, size=48)", "--out", str(Path(folder) / "run"), "--loss", "l1"]
        train += ["--network", "edsr(blocks=1, width=4)", "--batch", "2", "--crop", "16", "--steps", "1"]
        entries = way([*train, "--device", "cpu"])
    seen: set[str] = set()
    back = 0
    for module, function in entries:
        back += module in seen
        print(f"{'back to' if module in seen else '       '} {module}.{function}")
        seen.add(module)
    print(f"{len(seen)} modules, {back} returns")
