"""Damaged files, crafted pictures and absurd commands in numbers: how many were refused, and whether any was a fault.

    python benchmarks/fuzz.py [--count 2000] [--seed 2] [--minutes 15] [--out FILE]

The same code as the tests in ``tests/fuzz``, longer and with another seed. Each kind runs in portions until its count
is reached or the minutes are over; counts and all faults go to ``benchmarks/results/fuzz.json``.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pdloss.benchmarking import environment  # noqa: E402
from pdloss.files import write_atomically  # noqa: E402
from tests.fuzz import commands, files, folders  # noqa: E402
from tests.fuzz.findings import Findings  # noqa: E402

PORTION = 100
"""Tries between two looks at the clock."""


@dataclass(frozen=True)
class Options:
    """How much to try."""

    count: int = 2000
    """Tries of each kind."""
    seed: int = 2
    minutes: float = 15.0
    """For all kinds together; what is not reached then is left out."""
    out: Path = Path(__file__).parent / "results" / "fuzz.json"


def tried(count: int, seed: int, seconds: float, portion: Callable[[int, int], Findings]) -> dict[str, object]:
    """Returns the sums over portions, each with a seed of its own."""
    began, total = time.monotonic(), Findings()
    for number in range(0, count, PORTION):
        if time.monotonic() - began > seconds:
            break
        found = portion(min(PORTION, count - number), 1000 * seed + number)
        total.tried += found.tried
        total.refused += found.refused
        total.unchanged += found.unchanged
        total.faults += found.faults
    print(total, flush=True)
    return {
        "asked": count, "tried": total.tried, "refused": total.refused, "taken": total.unchanged,
        "faults": total.faults, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def measured(options: Options, root: Path) -> dict[str, object]:
    """Returns the counts of every kind."""
    made = folders.make(root / "made")
    work = folders.workplace(made, root / "around" / "deep" / "work")
    shutil.copytree(work / "data", root / "outside")
    (scores,) = (made / "run" / "scores").glob("*.json")
    kinds: dict[str, Callable[[int, int], Findings]] = {
        "flipped_bits": lambda count, seed: folders.flip_bits(made, count, seed),
        "pictures": lambda count, seed: files.mutate_pictures(root / "pictures", count, seed),
        "headers_and_records": lambda count, seed: files.mutate_headers(
            root / "pictures", made / "run" / "config.json", scores, count, seed
        ),
        "command_lines": lambda count, seed: commands.try_commands(work, root / "outside", count, seed)[0],
    }
    end = time.monotonic() + 60 * options.minutes
    found: dict[str, object] = {}
    for left, (name, portion) in zip(range(len(kinds), 0, -1), kinds.items(), strict=True):
        found[name] = tried(options.count, options.seed, (end - time.monotonic()) / left, portion)
    return found


def main() -> None:
    """Tries and writes the counts."""
    options = tyro.cli(Options)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PDLOSS_CACHE": f"{folder}/cache", "PDLOSS_OFFLINE": "1"}
        found = measured(options, Path(folder))
    result = {"seed": options.seed, **found, "environment": environment(torch.device("cpu"))}
    text = json.dumps(result, indent=2) + "\n"
    write_atomically(options.out, lambda path: path.write_text(text))


if __name__ == "__main__":
    main()
