"""What verifying digests costs: shares of going on with a run, of an evaluation, and of decoding photographs.

    python benchmarks/integrity.py --data PHOTOGRAPHS [--repeats 3] [--out FILE]

A run is trained for one step; then its command is given again, and it is evaluated on the photographs, each as a user
does it, in a process of its own. Beside their processor times stand those of the digests that they verify: of the
state, of the weights, and of the decoded pixels. Medians go to ``benchmarks/results/integrity.json``.
"""

import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from pdloss.benchmarking import environment
from pdloss.datasets import Photographs
from pdloss.files import write_atomically
from pdloss.files.tensors import read_tensors
from pdloss.images import read_pixels
from pdloss.runs import RunFolder


@dataclass(frozen=True)
class Options:
    """What to measure on, and how often."""

    data: Path
    """Folder of photographs."""
    network: str = "srn"
    """The larger, the longer a digest takes; this is the paper's for denoising."""
    repeats: int = 3
    out: Path = Path(__file__).parent / "results" / "integrity.json"


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    """Returns the median processor time of a call, in processes of its own too: others on the machine count little."""
    times = []
    for _ in range(repeats):
        began = _processor_seconds()
        call()
        times.append(_processor_seconds() - began)
    return statistics.median(times)


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + usage.ru_utime + usage.ru_stime


def command(*words: str) -> Callable[[], object]:
    """Returns what runs pdloss as a user does."""
    return lambda: subprocess.run([sys.executable, "-m", "pdloss", *words], check=True, capture_output=True)


def measured(options: Options, run: Path) -> dict[str, object]:
    """Returns the seconds and shares."""
    folder, data = RunFolder(run), str(options.data)
    train = ("train", "--data", data, "--out", str(run), "--network", options.network, "--loss", "l1", "--steps", "1")
    first = command(*train, "--batch", "1", "--crop", "64")
    first()
    resume = median_seconds(first, options.repeats)
    evaluate = ("evaluate", str(run), "--data", data, "--metrics", "psnr,ssim", "--again")
    evaluation = median_seconds(command(*evaluate), options.repeats)
    state, network = (_digest_seconds(file) for file in (folder.state, folder.latest_weights()[1]))
    reading = median_seconds(lambda: read_tensors(folder.state), 3)
    decoding, hashing = _decoding(options)
    return {
        "network": options.network,
        "state_megabytes": round(folder.state.stat().st_size / 1e6, 1),
        "processor_seconds": {
            "resume": round(resume, 2), "evaluation": round(evaluation, 2), "reading_the_state": round(reading, 3),
            "digest_of_state": round(state, 4), "digest_of_weights": round(network, 4),
        },
        "share_of_resume": round(state / resume, 4), "share_of_evaluation": round(network / evaluation, 4),
        "share_of_decoding": round(hashing / decoding, 4),
    }  # fmt: skip


def _digest_seconds(file: Path) -> float:
    data = file.read_bytes()
    return median_seconds(lambda: hashlib.sha256(data).digest(), 9)


def _decoding(options: Options) -> tuple[float, float]:
    """Returns the seconds in which all photographs are decoded, and in which the digests of their pixels are taken."""
    photographs = Photographs(options.data)
    files = [photographs.folder / name for name in photographs.names]
    pixels = [read_pixels(file).pixels.permute(1, 2, 0).contiguous().numpy() for file in files]
    decoding = median_seconds(lambda: [read_pixels(file) for file in files], 3)
    return decoding, median_seconds(lambda: [hashlib.sha256(image.data).digest() for image in pixels], 3)


def main() -> None:
    """Measures and writes the shares."""
    options = tyro.cli(Options)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        result = measured(options, Path(folder) / "run")
    text = json.dumps(result | {"environment": environment(torch.device("cpu"))}, indent=2) + "\n"
    print(text)
    write_atomically(options.out, lambda path: path.write_text(text))


if __name__ == "__main__":
    main()
