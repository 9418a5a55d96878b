"""Two processes under ``torchrun`` that are asked to stop, or lose a worker: saved, and gone on with bit for bit."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pdloss.records import read_log
from pdloss.runs import RunFolder
from tests.runs_for_tests import assert_same_bits, final_weights, photographs_in, trains
from tests.training.test_ranks import free_port

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")]

STEPS = 60


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Photographs, and a run of two processes that nothing disturbed."""
    folder = tmp_path_factory.mktemp("ranks-signals")
    data = photographs_in(folder / "photographs")
    ended(launched(data, folder / "whole"))
    return data, folder / "whole"


def launched(data: Path, out: Path) -> subprocess.Popen[str]:
    """What a user starts: ``torchrun`` with two processes, each with a loader worker."""
    launcher = ["torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port())]
    given = ["--data", data, "--out", out, "--loss", "l1", "--steps", STEPS, "--log-every", 1, "--workers", 1]
    given += ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--batch", 4, "--crop", 16, "--lr", 1e-3]
    given += ["--precision", "float32", "--device", "cpu"]
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "-m", "pdloss", "train", *map(str, given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Waits for all of them, since they share the pipes; returns what was said, and the complaints."""
    said, complaint = process.communicate(timeout=200)
    return said, complaint


def family(pid: int) -> list[int]:
    """The process and all that it started, in order of generation."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*"):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_to_every_process_loses_nothing(never_stopped: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    data, whole = never_stopped
    process = launched(data, tmp_path / "parts")
    assert trains(process, tmp_path / "parts"), ended(process)
    everyone = family(process.pid)
    assert len(everyone) == 5, "torchrun, two processes and a worker of each"
    for each in everyone:
        os.kill(each, getattr(signal, name))
    said, complaint = ended(process)
    assert "saved; the same command goes on" in said, complaint
    step = RunFolder(tmp_path / "parts").latest_weights()[0]
    assert 3 <= step < STEPS
    ended(launched(data, tmp_path / "parts"))
    assert_same_bits(final_weights(whole), final_weights(tmp_path / "parts"))
    one, other = (load_file(run / "state.safetensors") for run in (whole, tmp_path / "parts"))
    assert_same_bits(one, other)


def test_a_signal_that_torchrun_passes_on_saves(never_stopped: tuple[Path, Path], tmp_path: Path) -> None:
    process = launched(never_stopped[0], tmp_path / "run")
    assert trains(process, tmp_path / "run"), ended(process)
    process.send_signal(signal.SIGTERM)
    said, complaint = ended(process)
    assert "saved; the same command goes on" in said, complaint
    assert 3 <= RunFolder(tmp_path / "run").latest_weights()[0] < STEPS


def test_the_death_of_one_processs_worker_stops_both_at_the_same_step_and_saves(
    never_stopped: tuple[Path, Path], tmp_path: Path
) -> None:
    process = launched(never_stopped[0], tmp_path / "run")
    assert trains(process, tmp_path / "run"), ended(process)
    os.kill(family(process.pid)[-1], signal.SIGKILL)
    _, complaint = ended(process)
    assert "pdloss: a loader worker was killed (SIGKILL)" in complaint
    step = RunFolder(tmp_path / "run").latest_weights()[0]
    assert 3 <= step < STEPS
    assert read_log(tmp_path / "run" / "log.jsonl")[-1].step == step
