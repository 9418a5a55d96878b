"""Stopping and going on with chains of degradations and with JPEG: no bit changes, nor does the next crop."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pdloss.cli import main
from pdloss.records import read_log
from pdloss.training.loop import train
from tests.runs_for_tests import UNHURRIED, assert_same_bits, command, config, final_weights, photographs_in
from tests.training.test_resume import StopAt

SMALLER = {"network": "edsr(scale=2, blocks=1, width=8)", "task": "sr"}
CHAINS = {
    "blur(support=3..7) | noise(sigma=0..0.1)": {},
    "jpeg(quality=10..90)": {},
    "blur(support=3..5, motion='gp') | downscale(factor=2) | poisson_gaussian(shot=log(0.001..0.01)) | jpeg": SMALLER,
    "mosaic(pattern='GRBG')": {},
}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of three small smooth pictures."""
    return photographs_in(tmp_path / "photographs", count=3)


@pytest.mark.parametrize("degradation", CHAINS)
def test_stopping_and_going_on_changes_no_bit(photographs: Path, tmp_path: Path, degradation: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    options = {"degradation": degradation, "log_every": 1, **CHAINS[degradation]}
    train(config(photographs, whole, **options))
    assert train(config(photographs, parts, **options), StopAt(2)).step == 2
    assert train(config(photographs, parts, **options, workers=1), StopAt(5)).step == 5
    assert train(config(photographs, parts, **options)).step == 6
    assert_same_bits(final_weights(whole), final_weights(parts))
    assert_same_bits(load_file(whole / "state.safetensors"), load_file(parts / "state.safetensors"))
    totals = [[line.total for line in read_log(run / "log.jsonl")] for run in (whole, parts)]
    assert totals[0] == totals[1]
    assert len(set(totals[0])) == 6, "each step has crops and strengths of its own"


def test_a_killed_training_with_a_chain_ends_in_the_same_bits(photographs: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    chain = "blur(support=3..7) | noise(sigma=0..0.1) | jpeg(quality=30..90)"
    options = ["--loss", "l1", "--degradation", chain, "--steps", "60", "--save-every", "7", "--log-every", "1"]
    options += ["--precision", "float32", "--device", "cpu"]
    unhurried = [sys.executable, "-c", UNHURRIED, "fork", *command(photographs, parts, *options)[3:]]
    process = subprocess.Popen(unhurried, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(read_log(parts / "log.jsonl")) < 10 and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    _, complaint = process.communicate()
    assert process.returncode == -signal.SIGKILL, complaint.decode()
    assert 10 <= len(read_log(parts / "log.jsonl")) < 60
    for run in (parts, whole):
        assert main(command(photographs, run, *options)[3:]) == 0
    assert_same_bits(final_weights(whole), final_weights(parts))
    assert_same_bits(load_file(whole / "state.safetensors"), load_file(parts / "state.safetensors"))
    assert [line.step for line in read_log(parts / "log.jsonl")] == list(range(1, 61))
