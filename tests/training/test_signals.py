"""A training asked to stop, killed or left by its workers: what was trained is saved, and goes on bit for bit."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pdloss.errors import OutOfMemoryError, RunError
from pdloss.records import read_log
from pdloss.runs import RunFolder
from pdloss.training.loop import train
from pdloss.training.watching import Watcher
from tests.runs_for_tests import UNHURRIED, assert_same_bits, config, final_weights, photographs_in, trains

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

STEPS = 300


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Photographs, and a run on them that nothing disturbed."""
    folder = tmp_path_factory.mktemp("signals")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PDLOSS_CACHE", str(folder / "cache"))
        photographs = photographs_in(folder / "photographs", count=3)
        train(config(photographs, folder / "whole", steps=STEPS))
    return photographs, folder / "whole"


def started(data: Path, out: Path, method: str = "fork", **options: object) -> subprocess.Popen[str]:
    """The same training, as a user starts it, in a process group of its own, with two workers."""
    given = ["--data", data, "--out", out, "--loss", "l1", "--steps", STEPS, "--log-every", 1, "--workers", 2]
    given += ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--batch", 2, "--crop", 16, "--lr", 1e-3]
    given += ["--precision", "float32"]
    return subprocess.Popen(
        [sys.executable, "-c", UNHURRIED, method, "train", *map(str, given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,  # type: ignore[call-overload]
    )


def assert_goes_on_to_the_same_bits(data: Path, whole: Path, parts: Path) -> None:
    step = RunFolder(parts).latest_weights()[0]
    assert 0 < step < STEPS
    assert read_log(parts / "log.jsonl")[-1].step == step, "saved after the step at hand"
    assert train(config(data, parts, steps=STEPS)).step == STEPS
    assert_same_bits(final_weights(whole), final_weights(parts))
    assert_same_bits(load_file(whole / "state.safetensors"), load_file(parts / "state.safetensors"))


class At(Watcher):
    """Does something after some step."""

    def __init__(self, step: int, deed) -> None:
        self.at, self.deed = step, deed

    def step(self, step: int, terms: object) -> None:
        if step == self.at:
            self.deed()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_scheduler_that_ends_the_whole_group_loses_nothing(
    never_stopped: tuple[Path, Path], tmp_path: Path, method: str
) -> None:
    data, whole = never_stopped
    process = started(data, tmp_path / "parts", method)
    assert trains(process, tmp_path / "parts"), process.communicate()
    for _ in range(3):  # some send it more than once
        os.killpg(process.pid, signal.SIGTERM)
    said, complaint = process.communicate(timeout=120)
    assert process.returncode == 130, complaint
    assert "saved; the same command goes on" in said
    assert "Traceback" not in complaint
    assert_goes_on_to_the_same_bits(data, whole, tmp_path / "parts")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
@pytest.mark.parametrize("workers", [0, 1])
def test_every_request_saves_after_the_step_at_hand(
    never_stopped: tuple[Path, Path], tmp_path: Path, name: str, workers: int
) -> None:
    data, _ = never_stopped
    ask = At(3, lambda: os.kill(os.getpid(), getattr(signal, name)))
    assert train(config(data, tmp_path / "run", steps=9, workers=workers), ask).step == 3
    assert RunFolder(tmp_path / "run").latest_weights()[0] == 3


def test_a_terminal_that_is_closed_loses_nothing(never_stopped: tuple[Path, Path], tmp_path: Path) -> None:
    data, whole = never_stopped
    run = tmp_path / "parts"
    pty = pytest.importorskip("pty")
    child, terminal = pty.fork()
    if not child:
        given = ["--data", data, "--out", run, "--loss", "l1", "--steps", STEPS, "--log-every", 1, "--workers", 1]
        given += ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--batch", 2, "--crop", 16, "--lr", 1e-3]
        given += ["--precision", "float32"]
        os.execv(sys.executable, [sys.executable, "-c", UNHURRIED, "fork", "train", *map(str, given)])
    while len(read_log(run / "log.jsonl")) < 3:
        os.read(terminal, 1000)  # what it says, else it would wait for a reader
    os.close(terminal)
    os.waitpid(child, 0)
    assert_goes_on_to_the_same_bits(data, whole, run)


def test_a_worker_killed_by_the_system_ends_the_training_in_one_sentence_and_loses_nothing(
    never_stopped: tuple[Path, Path], tmp_path: Path
) -> None:
    data, whole = never_stopped
    others = {process.pid for process in multiprocessing.active_children()}

    def kill_one() -> None:
        worker = next(process for process in multiprocessing.active_children() if process.pid not in others)
        worker.kill()

    out = tmp_path / "parts"
    with pytest.raises(RunError, match=r"\Aa loader worker was killed \(SIGKILL\)[^\n]*\Z"):
        train(config(data, out, steps=STEPS, workers=2, log_every=1), At(5, kill_one))
    assert {process.pid for process in multiprocessing.active_children()} <= others
    assert RunFolder(out).latest_weights()[0] >= 5
    assert_goes_on_to_the_same_bits(data, whole, out)


def test_after_a_kill_the_same_command_is_not_refused(never_stopped: tuple[Path, Path], tmp_path: Path) -> None:
    data, _ = never_stopped
    process = started(data, tmp_path / "run")
    assert trains(process, tmp_path / "run"), process.communicate()
    process.kill()
    process.wait()
    with RunFolder(tmp_path / "run").locked():
        pass
    process.communicate()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_memory_that_runs_out_is_one_sentence_and_the_last_checkpoint_stays(
    never_stopped: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accumulate: int
) -> None:
    data, _ = never_stopped

    def run_out() -> None:
        bytearray(1 << 50)

    settings = config(data, tmp_path / "run", steps=9, save_every=2, accumulate=accumulate)
    with pytest.raises(OutOfMemoryError, match="while training with --batch 2: use a smaller --batch or --crop"):
        train(settings, At(5, run_out))
    assert RunFolder(tmp_path / "run").latest_weights()[0] == 4
    assert train(settings).step == 9
