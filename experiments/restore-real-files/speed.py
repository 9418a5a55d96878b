"""Tiles against the whole picture, in turns in one process: python speed.py MODEL"""

import statistics
import sys
import time
from pathlib import Path

import torch

from pdloss.devices import autocast, channels_last
from pdloss.evaluation import load_network
from pdloss.restoration.engine import Engine

CPU = torch.device("cpu")
SIDE = 1400
image = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
network = load_network(Path(sys.argv[1]), CPU)
engine = Engine(network, CPU)
made = torch.empty(3, SIDE, SIDE)
engine.reach


def tiles() -> None:
    def keep(top: int, rows: torch.Tensor) -> None:
        made[:, top : top + rows.shape[1]] = rows

    global done
    done = engine.restore(SIDE, SIDE, lambda rows, columns: image[:, rows, columns], keep)


@torch.no_grad()
def whole() -> None:
    global result
    with autocast(CPU):
        result = network(image[None].contiguous(memory_format=torch.channels_last))[0].float()


ratios, rates = [], []
for turn in range(6):
    seconds = []
    for work in (whole, tiles):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    if turn:  # the first one warms up
        ratios.append(seconds[0] / seconds[1])
        rates.append(SIDE**2 / 1e6 / seconds[1])
apart = (made.clamp(0, 1) - result.clamp(0, 1)).abs().max().item() * 255
print(
    f"\nSpeed on white noise of {SIDE} x {SIDE} pixels, in {done.tiles} tiles that see {engine.reach.pixels} pixels more "
    f"on each side: {statistics.median(rates):.2f} megapixels for each second of one core, {statistics.median(ratios):.2f} times "
    f"as many as the whole picture at once (median of {len(ratios)}, {min(ratios):.2f} to {max(ratios):.2f}, in turns). "
    f"Tiles and whole differ by {apart:.2f} of 255 levels at most."
)
