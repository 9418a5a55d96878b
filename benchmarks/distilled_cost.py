"""What the distilled features cost, beside their teachers: a share of the time, forward and backward.

    python benchmarks/distilled_cost.py [--repeats 9] [--out FILE]

To ``relu4_3`` alone and to all layers of each edition, batch 8, crop 96, in the precision that training takes; the
gradient goes to the images. Medians of paired ratios are printed and written to
``benchmarks/results/distilled_cost.json``. Wants the teachers' weights (PDLOSS_ASSETS).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from pdloss.benchmarking import environment, interleaved, median_ratio
from pdloss.devices import autocast, best_precision
from pdloss.features import extractor
from pdloss.files import write_atomically

CPU = torch.device("cpu")
TEACHERS = {
    "distilled.relu4_3": "vgg16-torchvision.relu4_3",
    "distilled.relu1_2+relu2_2+relu3_3+relu4_3": "vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3",
    "distilled-1.relu4_3": "vgg19.relu4_3",
    "distilled-1.relu3_4+relu4_3": "vgg19.relu3_4+relu4_3",
}


@dataclass(frozen=True)
class Options:
    """How to measure."""

    repeats: int = 9
    batch: int = 8
    crop: int = 96
    out: Path = Path(__file__).parent / "results" / "distilled_cost.json"


def step(features: str, images: torch.Tensor) -> Callable[[], None]:
    """Returns what computes the maps and the gradient of their mean in the images."""
    network = extractor(features)

    def call() -> None:
        with autocast(CPU):
            maps = network(images)
        images.grad = None
        torch.stack([x.float().mean() for x in maps.values()]).sum().backward()  # type: ignore[no-untyped-call]

    return call


def main(options: Options) -> None:
    """Measures, prints and writes."""
    images = torch.rand(options.batch, 3, options.crop, options.crop, generator=torch.Generator().manual_seed(0))
    images.requires_grad_()
    names = dict.fromkeys([*TEACHERS, *TEACHERS.values()])
    seconds = interleaved({name: step(name, images) for name in names}, options.repeats, CPU)
    shares = {name: round(median_ratio(seconds[name], seconds[of]), 3) for name, of in TEACHERS.items()}
    print(json.dumps(shares, indent=2))
    protocol = (
        f"batch {options.batch}, crop {options.crop}, {best_precision(CPU)}; {options.repeats} interleaved repeats"
    )
    record = {**environment(CPU), "protocol": protocol, "share_of_teacher": shares}
    write_atomically(options.out, lambda path: path.write_text(json.dumps(record, indent=2) + "\n"))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
