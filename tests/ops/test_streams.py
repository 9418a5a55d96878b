"""Streams of random numbers that belong to what they are for."""

import subprocess
import sys

import torch

from pdloss.ops.streams import generator

KEYS = [(0,), (1,), (0, 0), (0, 1), (1, 0), ("0",), ("a", 1), ("a", "1"), ("a1",)]


def test_equal_keys_give_equal_streams_and_different_keys_others() -> None:
    drawn = [tuple(torch.rand(4, generator=generator(*key)).tolist()) for key in KEYS]
    assert drawn == [tuple(torch.rand(4, generator=generator(*key)).tolist()) for key in KEYS]
    assert len(set(drawn)) == len(KEYS)


def test_streams_of_neighbouring_keys_are_unrelated() -> None:
    rows = torch.stack([torch.randn(500, generator=generator(0, index)) for index in range(40)])
    between = torch.corrcoef(rows)[torch.triu_indices(40, 40, 1).unbind()]
    # Correlations of independent rows spread by 1 / sqrt(500); five times that is met by one pair of 1.7 million.
    assert between.abs().max() < 5 / 500**0.5
    assert abs(float(between.mean())) < 5 / (500 * len(between)) ** 0.5


def test_neither_the_process_nor_torchs_own_stream_matters() -> None:
    code = "from pdloss.ops.streams import generator; print(generator('a', 7).initial_seed())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before = torch.get_rng_state()
    assert generator("a", 7).initial_seed() == int(other.stdout)
    assert torch.equal(torch.get_rng_state(), before)
