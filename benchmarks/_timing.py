"""What the benchmarks share: interleaved timing, and a record of where it was done."""

import datetime
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Hashable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import torch

Name = TypeVar("Name", bound=Hashable)


def interleaved_medians(
    calls: Mapping[Name, Callable[[], object]], repeats: int, device: torch.device
) -> dict[Name, float]:
    """Returns the median seconds of each call.

    In every repeat each is called once, so that a machine whose speed drifts slows all alike; one call of each goes
    before, untimed.
    """
    seconds: dict[Name, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            _wait_for(device)
            start = time.perf_counter()
            call()
            _wait_for(device)
            if repeat:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def environment(device: torch.device) -> dict[str, object]:
    """Returns date, device, threads, versions and commit of this run."""
    host = f"{platform.system()} {platform.machine()}, {_processor()}"
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "device": f"{torch.cuda.get_device_name(device)} in {host}" if device.type == "cuda" else host,
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("numpy", "torch", "pdloss")},
        "commit": _commit(),
    }


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
