"""What the losses cost: training speed relative to no feature loss (the paper's table I), and the sort's speed-up.

    python benchmarks/loss_cost.py [--features vgg19.relu4_3] [--crop 128] [--batch 8] [--repeats 15]

Every repeat takes one step of each kind in turn, so that a machine whose speed drifts slows all alike; ratios of
medians are printed and written to ``benchmarks/results/loss_cost.json``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from _timing import environment, interleaved_medians

from pdloss.losses import objective
from pdloss.networks import network
from pdloss.ops import wasserstein_1d
from pdloss.precision import autocast, best_precision, channels_last, chosen_device


@dataclass(frozen=True)
class Options:
    """What to measure."""

    features: str = "vgg19.relu4_3"
    network: str = "edsr(blocks=8, unshuffle=2)"
    crop: int = 128
    batch: int = 8
    repeats: int = 15
    device: str = "auto"
    out: Path = Path(__file__).parent / "results" / "loss_cost.json"


def training_step(loss: str, options: Options, device: torch.device) -> Callable[[], None]:
    """Returns one whole step: forward, loss, backward, update."""
    model = channels_last(network(options.network)).to(device)
    criterion = objective(loss).build().to(device)
    optimiser = torch.optim.Adam(model.parameters(), 1e-4)
    shape = (options.batch, 3, options.crop, options.crop)
    degraded, target = torch.rand(2, *shape, device=device)

    def step() -> None:
        with autocast(device):
            restored = model(degraded).float()
            total = criterion(restored, target).total
        optimiser.zero_grad()
        total.backward()
        optimiser.step()

    return step


def transport(rows: int, samples: int, device: torch.device, fast: bool) -> Callable[[], None]:
    """Returns forward and backward of the 1-D transport cost, by ours or by sorting both under autograd."""
    u, v = torch.rand(2, rows, samples, device=device)
    u.requires_grad_()

    def plain(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return (u.sort(-1).values - v.sort(-1).values).abs().mean(-1)

    def step() -> None:
        u.grad = None
        (wasserstein_1d if fast else plain)(u, v).sum().backward()  # type: ignore[no-untyped-call]

    return step


def main(options: Options) -> None:
    """Measures, prints and writes."""
    device = chosen_device(options.device)
    feature = f"features='{options.features}'"
    kinds = {
        "no perceptual": "l1",
        "L1": f"l1 + 0.01*perceptual({feature})",
        "L2": f"l1 + 0.01*perceptual({feature}, p=2)",
        "PDL": f"l1 + 0.01*pdl({feature})",
    }
    steps = {kind: training_step(loss, options, device) for kind, loss in kinds.items()}
    seconds = interleaved_medians(steps, options.repeats, device)
    speed = {kind: seconds["no perceptual"] / value for kind, value in seconds.items()}
    step_ratio = seconds["PDL"] / seconds["L1"]
    print(f"steps a second, relative to no perceptual loss ({best_precision(device)}, {options.features}):")
    print("  ".join(f"{kind} {value:.2f}" for kind, value in speed.items()))
    print(f"a PDL step takes {step_ratio:.3f} times an L1-perceptual step")

    speed_up = {}
    for rows, samples in ((8192, 256), (256, 16384)):
        both = {fast: transport(rows, samples, device, fast) for fast in (True, False)}
        medians = interleaved_medians(both, options.repeats, device)
        speed_up[f"{rows}x{samples}"] = medians[False] / medians[True]
    print("wasserstein_1d against torch.sort: " + ", ".join(f"{k} {v:.1f} times faster" for k, v in speed_up.items()))

    record = {
        **environment(device),
        "protocol": f"batch {options.batch}, crop {options.crop}, {options.network}, {options.features}, "
        f"{best_precision(device)}, medians of {options.repeats} interleaved repeats",
        "relative_speed": speed,
        "pdl_step_over_l1_perceptual_step": step_ratio,
        "wasserstein_1d_speed_up_over_torch_sort": speed_up,
    }
    options.out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
