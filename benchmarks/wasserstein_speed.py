"""How many times faster `wasserstein_1d` is on a CPU than sorting both samples with `torch.sort` under autograd.

    python benchmarks/wasserstein_speed.py [--out FILE] [--repeats 11] [--threads 2]

Forward and backward, with the gradient by the first sample only, as in training, and by both. Prints ratios and writes
them, with the largest difference between the two in value and gradient, to a JSON file.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from _timing import environment, interleaved_seconds, median_ratio
from torch import Tensor

from pdloss.files import write_atomically
from pdloss.ops import wasserstein_1d

SHAPES = (8192, 256), (256, 16384)
DTYPES = torch.float32, torch.bfloat16


def by_torch_sort(u: Tensor, v: Tensor) -> Tensor:
    """Returns the same cost in the obvious way."""
    return (u.float().sort(dim=-1).values - v.float().sort(dim=-1).values).abs().mean(dim=-1)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "wasserstein_speed.json")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = [
        measured(shape, dtype, both, arguments.repeats)
        for shape in SHAPES
        for dtype in DTYPES
        for both in (False, True)
    ]
    record = environment("numpy", "pdloss") | {"repeats": arguments.repeats, "results": rows}
    write_atomically(arguments.out, lambda path: path.write_text(json.dumps(record, indent=2) + "\n"))


def measured(shape: tuple[int, int], dtype: torch.dtype, both: bool, repeats: int) -> dict[str, object]:
    """Returns, and prints, one line of the table."""
    generator = torch.Generator().manual_seed(0)
    u, v = torch.randn(2, *shape, generator=generator).to(dtype)
    wanted = [x.requires_grad_() for x in ((u, v) if both else (u,))]

    def gradients(cost: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(cost.sum(), wanted)

    seconds = interleaved_seconds(
        {
            "torch.sort": lambda: gradients(by_torch_sort(u, v)),
            "wasserstein_1d": lambda: gradients(wasserstein_1d(u, v)),
        },
        repeats,
    )
    expected, cost = by_torch_sort(u, v), wasserstein_1d(u, v)
    differing = [(a != b).double().mean().item() for a, b in zip(gradients(expected), gradients(cost), strict=True)]
    row: dict[str, object] = {
        "shape": shape,
        "dtype": str(dtype).removeprefix("torch."),
        "gradient_by": "u and v" if both else "u",
        "times_faster": round(median_ratio(seconds["torch.sort"], seconds["wasserstein_1d"]), 1),
        "largest_relative_difference_of_value": float(((cost - expected).abs() / expected).max().item()),
        "share_of_differing_gradients": max(differing),
    }
    print(" ".join(f"{name}={value}" for name, value in row.items()), flush=True)
    return row


if __name__ == "__main__":
    main()
