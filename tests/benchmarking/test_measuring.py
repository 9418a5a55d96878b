"""Timing in turns on a clock of our own, peak memory of known size, and what a measurement is recorded with."""

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pdloss.benchmarking import environment, interleaved, measuring, median_ratio, peak_memory

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that only moves when a call says so."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_every_repeat_calls_each_once_and_the_first_is_not_timed(clock: SimpleNamespace) -> None:
    order, reports = [], []

    def call(name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            order.append(name)
            clock.now += seconds if len(order) > 2 else 1000.0

        return run

    seconds = interleaved({"a": call("a", 1.0), "b": call("b", 3.0)}, 2, CPU, lambda *done: reports.append(done))
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert seconds == {"a": [1.0, 1.0], "b": [3.0, 3.0]}
    assert reports == [(done, 6) for done in range(1, 7)]


def test_a_machine_that_slows_down_between_repeats_changes_no_ratio(clock: SimpleNamespace) -> None:
    slowness = [1.0]

    def call(seconds: float) -> None:
        clock.now += seconds * slowness[0]
        slowness[0] *= 8.0 if seconds == 3.0 else 1.0  # only once both have had their turn

    seconds = interleaved({"a": lambda: call(1.0), "b": lambda: call(3.0)}, 4, CPU)
    assert seconds["a"] == [8.0, 64.0, 512.0, 4096.0]
    assert median_ratio(seconds["b"], seconds["a"]) == 3.0


def test_one_disturbed_repeat_does_not_move_the_ratio_as_it_moves_a_ratio_of_medians() -> None:
    a, b = [1.0, 2.0, 30.0], [2.0, 40.0, 60.0]
    assert median_ratio(b, a) == 2.0
    with pytest.raises(ValueError, match="zip"):
        median_ratio(b, a[:2])


PEAKS = """
import torch
from pdloss.benchmarking import peak_memory

def of_mebibytes(count):
    return torch.ones(count << 18)

def one_after_the_other():
    of_mebibytes(48)
    of_mebibytes(96)

def together():
    return of_mebibytes(48), of_mebibytes(96)

kept = of_mebibytes(64)  # held before, so not counted
print(*(peak_memory(call, torch.device("cpu")) for call in (one_after_the_other, together)))
"""


def test_peak_memory_is_that_of_the_largest_moment() -> None:
    # In a process of its own: where much was freed before, the allocator keeps what it could give back.
    said = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True).stdout.split()
    if "None" in said:
        pytest.skip("this system does not say how much memory a process held at most")
    assert [float(peak) for peak in said] == pytest.approx([96, 144], abs=8)


def test_peak_memory_is_read_where_linux_writes_it(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t    2048 kB\nVmRSS:\t 2048 kB\n")
    assert peak_memory(lambda: status.write_text("VmHWM:\t    5120 kB\n"), CPU, tmp_path) == 3.0
    assert (tmp_path / "clear_refs").read_text() == "5"


def test_peak_memory_is_unknown_where_nothing_tells(tmp_path: Path) -> None:
    calls = []
    (tmp_path / "silent").mkdir()
    (tmp_path / "silent" / "status").write_text("Name:\tpython\n")
    for process in (tmp_path / "nowhere", tmp_path / "silent"):
        assert peak_memory(lambda: calls.append(1), CPU, process) is None
    assert len(calls) == 2


def test_a_measurement_is_recorded_with_date_machine_and_versions() -> None:
    said = json.loads(json.dumps(environment(CPU)))
    assert datetime.date.fromisoformat(said["date"])
    assert said["threads"] == torch.get_num_threads()
    assert said["versions"].keys() == {"pdloss", "torch", "python", "pillow", "numpy"}
    assert said["versions"]["torch"] == str(torch.__version__)
    assert "," in said["device"]
    assert "commit" in said
