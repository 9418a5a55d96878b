"""How many times faster `wasserstein_1d` is on a CPU than sorting both samples with `torch.sort` under autograd.

    python benchmarks/wasserstein_speed.py [--repeats 11] [--threads 2] [--out FILE]

Forward and backward, with the gradient by the first sample only, as in training, and by both. Medians of paired ratios
are printed, with the largest difference in value and the share of gradients that differ (in half precision: those at
ties), and written to ``benchmarks/results/wasserstein_speed.json``. Beside it stands what no sort by NumPy can be
without: sorting one integer for each value that needs its place, and the bare values of the others.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor

from pdloss.benchmarking import environment, interleaved, median_ratio
from pdloss.files import write_atomically
from pdloss.ops import wasserstein_1d
from pdloss.ops.sorting import in_blocks

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Options:
    """How to measure."""

    repeats: int = 11
    threads: int = field(default_factory=torch.get_num_threads)
    out: Path = Path(__file__).parent / "results" / "wasserstein_speed.json"


def by_torch_sort(u: Tensor, v: Tensor) -> Tensor:
    """Returns the same cost the obvious way."""
    return (u.float().sort(-1).values - v.float().sort(-1).values).abs().mean(-1)


def bare_sorts(u: Tensor, v: Tensor, both: bool) -> Callable[[], None]:
    """Returns what sorts keys and values made beforehand, in the blocks and threads of `wasserstein_1d`."""
    keys = np.dtype(np.int64 if u.dtype == torch.float32 else np.int32)
    columns = [u.detach().float().numpy(), v.detach().float().numpy()]
    columns = [(x * 1000).astype(keys) if number == 0 or both else x for number, x in enumerate(columns)]

    def work(block: slice) -> None:
        for x in columns:
            np.sort(x[block], axis=-1)

    return lambda: in_blocks(work, *u.shape)


def comparison(shape: tuple[int, int], dtype: torch.dtype, both: bool, repeats: int) -> dict[str, object]:
    """Returns one line of the table."""
    u, v = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    wanted = [x.requires_grad_() for x in ((u, v) if both else (u,))]

    def gradients(cost: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(cost.sum(), wanted)

    calls = {
        "torch.sort": lambda: gradients(by_torch_sort(u, v)),
        "wasserstein_1d": lambda: gradients(wasserstein_1d(u, v)),
        "bare sorts": bare_sorts(u, v, both),
    }
    seconds = interleaved(calls, repeats, CPU)
    expected, cost = by_torch_sort(u, v), wasserstein_1d(u, v)
    differing = (a != b for a, b in zip(gradients(expected), gradients(cost), strict=True))
    return {
        "shape": shape,
        "dtype": str(dtype).removeprefix("torch."),
        "gradient_by": "u and v" if both else "u",
        "times_faster": round(median_ratio(seconds["torch.sort"], seconds["wasserstein_1d"]), 1),
        "times_bare_sorts": round(median_ratio(seconds["wasserstein_1d"], seconds["bare sorts"]), 2),
        "relative_difference": ((cost - expected) / expected).abs().max().item(),
        "gradients_differing": max(different.double().mean().item() for different in differing),
    }


def main(options: Options) -> None:
    """Measures, prints and writes."""
    torch.set_num_threads(options.threads)
    lines = []
    for shape in ((8192, 256), (256, 16384)):
        for dtype in (torch.float32, torch.bfloat16):
            for both in (False, True):
                lines.append(comparison(shape, dtype, both, options.repeats))
                print("  ".join(f"{name} {value}" for name, value in lines[-1].items()), flush=True)
    record = {
        **environment(CPU),
        "protocol": f"forward and backward, p=1, normal samples, medians of the ratios of "
        f"{options.repeats} interleaved repeats",
        "results": lines,
    }
    write_atomically(options.out, lambda path: path.write_text(json.dumps(record, indent=2) + "\n"))


if __name__ == "__main__":
    main(tyro.cli(Options))
