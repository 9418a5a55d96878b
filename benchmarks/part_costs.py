"""What each loss, feature set, network, metric and degradation costs, for the pages of the reference.

    python benchmarks/part_costs.py [--repeats 5] [--threads 1] [--out FILE]

Writes ``benchmarks/results/part_costs.json``. Multiply-adds and parameters are counted; the rest is timed beside the
same part of its family (`pdloss.benchmarking.part_costs.BESIDE`), in minutes. Weights that are not at hand leave
their parts out.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from pdloss.benchmarking import environment
from pdloss.benchmarking import part_costs as costs
from pdloss.benchmarking.loss_costs import protocol
from pdloss.benchmarking.options import LossBenchConfig
from pdloss.metrics import METRICS, SET_METRICS
from pdloss.records import write_record

IMAGE = (1, 3, 384, 512)


@dataclass(frozen=True)
class Options:
    """How to measure."""

    repeats: int = 9
    """How often each has its turn; of metrics a third of it, of degradations three times as often."""
    threads: int = 1
    """Of torch."""
    out: Path = Path(__file__).parent / "results" / "part_costs.json"


def main(options: Options) -> int:
    """Measures and writes."""
    torch.set_num_threads(options.threads)
    os.environ["PDLOSS_OFFLINE"] = "1"  # a measurement waits for no download
    training = LossBenchConfig(device="cpu", batch=2, crop=96, repeats=options.repeats, features="vgg16.relu4_3")
    with torch.no_grad():
        times = costs.feature_times(costs.USUAL, IMAGE, options.repeats)
    found = costs.PartCosts(
        **environment(costs.CPU),
        protocol=f"multiply-adds at {costs.SIDE}x{costs.SIDE}; features, metrics and degradations: one "
        f"smooth random image of {IMAGE[2]}x{IMAGE[3]}, float32; losses: {protocol(training, costs.CPU)}",
        beside=costs.BESIDE,
        networks=costs.network_costs(),
        features=costs.feature_costs(times),
        losses=costs.training_costs(training),
        metrics=costs.metric_costs([*METRICS, *SET_METRICS], IMAGE, max(1, options.repeats // 3)),
        degradations=costs.degradation_costs(IMAGE[1:], 3 * options.repeats),
    )
    write_record(options.out, found)
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
