"""What benchmarks share: interleaved timing, peak memory, and a record of where they ran."""

import contextlib
import ctypes
import datetime
import gc
import platform
import re
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch

from pdloss.devices.provenance import commit, versions
from pdloss.records import Record

Name = TypeVar("Name", bound=Hashable)


class Measured(Record, frozen=True, kw_only=True):
    """Base of the records of measurements: where they were made, as `environment` says it, and how."""

    date: str
    device: str
    threads: int
    versions: dict[str, str]
    commit: str | None
    protocol: str


def interleaved(
    calls: Mapping[Name, Callable[[], object]],
    repeats: int,
    device: torch.device,
    progress: Callable[[int, int], object] | None = None,
) -> dict[Name, list[float]]:
    """Returns the seconds that each call took, repeat by repeat.

    In every repeat each is called once, so that a machine whose speed drifts slows all alike; one call of each goes
    before, untimed.

    Args:
        calls: What to time, by name.
        repeats: How often each is timed.
        device: Where the calls compute; its work is waited for.
        progress: Called with (calls done, calls in all).
    """
    seconds: dict[Name, list[float]] = {name: [] for name in calls}
    done, total = 0, (repeats + 1) * len(calls)
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            _wait_for(device)
            start = time.perf_counter()
            call()
            _wait_for(device)
            if repeat:
                seconds[name].append(time.perf_counter() - start)
            done += 1
            if progress:
                progress(done, total)
    return seconds


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Returns the median of the ratios of pairs: what slows both of a pair alike cancels, unlike between two medians.

    Example:
        >>> median_ratio([2.0, 4.0, 60.0], [1.0, 2.0, 20.0])
        2.0
    """
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def peak_memory(call: Callable[[], object], device: torch.device, process: Path = Path("/proc/self")) -> float | None:
    """Returns how many MiB `call` holds at its peak beyond what was held before, or None where nothing tells.

    On a GPU, what torch allocates counts. On a CPU, under Linux only, the resident memory of the whole process counts,
    so other threads should be at rest; a call that only uses memory again that this process has kept rises by nothing,
    which is why free memory is handed back first.

    Args:
        call: What to measure; called once.
        device: Where it computes.
        process: Linux' files about this process.
    """
    if device.type == "cuda":
        _wait_for(device)
        torch.cuda.reset_peak_memory_stats(device)
        allocated = torch.cuda.memory_allocated(device)
        call()
        _wait_for(device)
        return (torch.cuda.max_memory_allocated(device) - allocated) / 2**20
    before = _reset_resident_peak(process) if device.type == "cpu" else None
    call()
    after = None if before is None else _resident_peak(process)
    return None if before is None or after is None else (after - before) / 1024


def environment(device: torch.device) -> dict[str, Any]:
    """Returns date, device, threads, versions and commit of a measurement."""
    host = f"{platform.system()} {platform.machine()}, {_processor()}"
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "device": f"{torch.cuda.get_device_name(device)} in {host}" if device.type == "cuda" else host,
        "threads": torch.get_num_threads(),
        "versions": versions() | {"numpy": version("numpy")},
        "commit": commit(),
    }


def _wait_for(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _reset_resident_peak(process: Path) -> int | None:
    """Returns the resident memory in KiB after setting its recorded peak to that, or None where Linux does not."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)
    try:
        (process / "clear_refs").write_text("5")
    except OSError:
        return None
    return _resident_peak(process)


def _resident_peak(process: Path) -> int | None:
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", (process / "status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"
