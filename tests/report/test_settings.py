"""In what runs differ, and what they cost."""

from pathlib import Path

import msgspec
import pytest

from pdloss.records import LogLine
from pdloss.report.settings import costs, differing, duration, shared
from pdloss.report.sources import read_comparison
from tests.report.folders import write_run

THREE = {"psnr": [30.0, 31.0, 32.0]}


def log(folder: Path, step: int, seconds: float, waiting: float = 0.0) -> None:
    line = LogLine(step=step, seconds=seconds, lr=1.0, total=1.0, terms={}, gradients={}, waiting=waiting)
    (folder / "log.jsonl").write_bytes(msgspec.json.encode(line) + b"\n")


def test_only_options_that_differ_are_told_apart(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "a", THREE, loss="l1", lr=1e-4, step=2000, steps=2000),
        write_run(
            tmp_path / "b",
            THREE,
            loss="l2",
            lr=1e-4,
            step=3000,
            steps=3000,
            created="2026-02-02T00:00:00",
            commit="abc",
        ),
    ]
    comparison = read_comparison(runs)
    assert dict(differing(comparison)) == {"loss": ["l1", "l2"], "steps": ["2,000", "3,000"]}
    same = dict(shared(comparison))
    assert (same["lr"], same["init"], same["compile"]) == ("0.0001", "\N{EN DASH}", "no")
    assert not {"loss", "steps", "created", "parameters", "versions"} & same.keys()


def test_costs_are_told_from_the_end_of_the_log(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, THREE) for name in "abc"]
    log(runs[0], 100, 50.0)
    log(runs[1], 100, 200.0, waiting=0.25)
    first, second, without = costs(read_comparison(runs))
    assert (first.rate, first.relative, first.waiting) == (2.0, 1.0, None)
    assert (second.seconds, second.relative, second.waiting) == (200.0, 0.25, 0.25)
    assert second.duration == "3 min 20 s"
    assert (without.seconds, without.rate, without.relative, without.duration) == (None, None, None, "")
    assert first.parameters == 1234567


@pytest.mark.parametrize(
    ("seconds", "words"), [(59.6, "1 min 0 s"), (3599.6, "1 h 0 min"), (0.2, "0 s"), (360000.0, "100 h 0 min")]
)
def test_times_are_rounded_before_they_are_split(seconds: float, words: str) -> None:
    assert duration(seconds) == words
