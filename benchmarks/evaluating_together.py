"""What R runs cost that are evaluated in one call, beside R calls: a share.

    python benchmarks/evaluating_together.py --data PHOTOGRAPHS [--runs 4] [--repeats 3] [--out FILE]

Runs of one step are trained, and evaluated with LPIPS, LPIPS-VGG and DISTS on the photographs, each call a process of
its own as a user does it; processor times, start and weights and all. Medians go to
``benchmarks/results/evaluating_together.json``. Wants the weights of the three (PDLOSS_ASSETS).
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from pdloss.benchmarking import environment
from pdloss.files import write_atomically

METRICS = "lpips,lpips_vgg,dists"


@dataclass(frozen=True)
class Options:
    """What to measure on, and how often."""

    data: Path
    """Folder of photographs."""
    runs: int = 4
    repeats: int = 3
    out: Path = Path(__file__).parent / "results" / "evaluating_together.json"


def _seconds(*words: str) -> float:
    """Returns the processor time of a process, its threads together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "pdloss", *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measured(options: Options, folder: Path) -> dict[str, object]:
    """Returns the seconds and their ratio."""
    data, runs = str(options.data), [str(folder / f"run{i}") for i in range(options.runs)]
    for seed, run in enumerate(runs):
        network = ("--network", "edsr(blocks=1, width=8, unshuffle=2)", "--batch", "1", "--crop", "64")
        _seconds("train", "--data", data, "--out", run, "--loss", "l1", "--steps", "1", "--seed", str(seed), *network)
    asked = ("--data", data, "--metrics", METRICS, "--again")
    together = [_seconds("evaluate", *runs, *asked) for _ in range(options.repeats)]
    apart = [sum(_seconds("evaluate", run, *asked) for run in runs) for _ in range(options.repeats)]
    return {
        "runs": options.runs,
        "metrics": METRICS,
        "processor_seconds": {"together": statistics.median(together), "apart": statistics.median(apart)},
        "share": round(statistics.median(together) / statistics.median(apart), 3),
    }


def main(options: Options) -> None:
    """Measures, prints and writes."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options, Path(folder))
    print(json.dumps(found, indent=2))
    record = {**environment(torch.device("cpu")), "data": options.data.name, **found}
    write_atomically(options.out, lambda path: path.write_text(json.dumps(record, indent=2) + "\n"))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
