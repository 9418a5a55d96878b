"""How many pairs of 128x128 crops a second one processor core prepares for training, task by task.

    python benchmarks/data_throughput.py --data PHOTOGRAPHS [--seconds 3] [--out FILE]

Cutting out, turning, degrading and stacking, as a loader worker does it, from photographs that were decoded before.
Medians over batches of 16 are printed, and written to ``benchmarks/results/data_throughput.json``.
"""

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from pdloss import degradations
from pdloss.benchmarking import environment
from pdloss.datasets import Crops, Photographs, batches
from pdloss.files import write_atomically
from pdloss.tasks import TASKS

BATCH = 16


@dataclass(frozen=True)
class Options:
    """What to measure on, and how long."""

    data: str
    """Folder of photographs."""
    seconds: float = 3.0
    """For each task."""
    crop: int = 128
    out: Path = Path(__file__).parent / "results" / "data_throughput.json"


def pairs_a_second(photographs: Photographs, degradation: str, crop: int, seconds: float) -> float:
    """Returns the median rate over batches; the first does not count."""
    crops = Crops(photographs, degradations.parse(degradation), size=crop, seed=0, batch=BATCH)
    loader = batches(crops, 0, 1_000_000)
    next(loader)
    rates = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        next(loader)
        rates.append(BATCH / (time.perf_counter() - began))
    return statistics.median(rates)


def main() -> None:
    """Measures all tasks."""
    options = tyro.cli(Options)
    torch.set_num_threads(1)
    photographs = Photographs(options.data, cached=True)
    found = {}
    for name, task in TASKS.items():
        found[name] = round(pairs_a_second(photographs, task.degradation, options.crop, options.seconds))
        print(f"{name:10} {task.degradation:32} {found[name]:6} pairs/s")
    result = {"crop": options.crop, "pairs_a_second": found, "environment": environment(torch.device("cpu"))}
    text = json.dumps(result, indent=2) + "\n"
    write_atomically(options.out, lambda path: path.write_text(text))


if __name__ == "__main__":
    main()
