"""Two processes that are stopped, or killed, and go on end where two that were never stopped do."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pdloss.records import read_log
from pdloss.runs import RunFolder
from tests.runs_for_tests import assert_same_bits, final_weights, photographs_in
from tests.training.test_ranks import finished, processes

CHAIN = ["--degradation", "blur(support=3..5) | noise(sigma=0..0.1) | jpeg(quality=30..90)"]


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Photographs, and a run of two processes on a chain of degradations."""
    folder = tmp_path_factory.mktemp("ranks-resume")
    data = photographs_in(folder / "photographs")
    assert finished(processes(2, data, folder / "whole", *CHAIN)) == [0, 0]
    return data, folder / "whole"


@pytest.fixture(scope="module")
def half_way(never_stopped: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes, one of which was asked to stop in its third step."""
    out = tmp_path_factory.mktemp("ranks-stopped") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOP_RANK", "0")
        assert finished(processes(2, never_stopped[0], out, *CHAIN)) == [130, 130]
    assert RunFolder(out).latest_weights()[0] == 3
    return out


@pytest.fixture
def stopped(half_way: Path, tmp_path: Path) -> Path:
    """A copy of it, to go on with."""
    return shutil.copytree(half_way, tmp_path / "parts")


def test_two_processes_stopped_and_started_again_end_in_the_same_bits(
    never_stopped: tuple[Path, Path], stopped: Path
) -> None:
    data, whole = never_stopped
    assert finished(processes(2, data, stopped, *CHAIN)) == [0, 0]
    assert_same_bits(final_weights(whole), final_weights(stopped))
    assert_same_bits(load_file(whole / "state.safetensors"), load_file(stopped / "state.safetensors"))
    totals = [[(line.step, line.total) for line in read_log(run / "log.jsonl")] for run in (whole, stopped)]
    assert totals[0] == totals[1]
    assert [step for step, _ in totals[0]] == [1, 2, 3, 4, 5, 6]


def test_one_process_goes_on_where_two_were_stopped(never_stopped: tuple[Path, Path], stopped: Path) -> None:
    data, whole = never_stopped
    assert finished(processes(1, data, stopped, *CHAIN)) == [0]
    two, one = final_weights(whole), final_weights(stopped)
    for name, weights in two.items():
        torch.testing.assert_close(one[name], weights, rtol=1e-3, atol=1e-5)
    for first, second in zip(*(read_log(run / "log.jsonl") for run in (whole, stopped)), strict=True):
        assert second.total == pytest.approx(first.total, rel=1e-3)
