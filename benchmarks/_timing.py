"""What the benchmarks share: interleaved timing, and a record of where it was done."""

import datetime
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import torch


def interleaved_seconds(candidates: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Returns the seconds of each call, candidate by candidate.

    In every repeat each candidate runs once, so that whatever else the machine does in that while bears on all of them.
    One call of each goes before, untimed.
    """
    for call in candidates.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def median_ratio(slow: list[float], fast: list[float]) -> float:
    """Returns the median, over repeats, of how many times longer `slow` took than `fast`."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def environment(*packages: str) -> dict[str, object]:
    """Returns date, device, threads, versions (Python's, torch's, those of `packages`) and commit of this run."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "device": f"{platform.system()} {platform.machine()}, {_processor()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("torch", *packages)},
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
