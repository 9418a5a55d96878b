"""A training of six steps that is broken off after the fourth and goes on from the third, where it was saved."""

from pathlib import Path

import pytest
import torch

from pdloss.images import write_image
from pdloss.records import LogLine
from pdloss.training.loop import train
from pdloss.training.watching import Watcher
from tests.runs_for_tests import config, photographs_in


class _BrokenOff(Watcher):
    def log(self, line: LogLine) -> None:
        if line.step == 4:
            raise KeyboardInterrupt


class _Strict(Watcher):
    def warn(self, text: str) -> None:
        raise AssertionError(text)


def train_in_two_pieces(folder: Path, logger: str) -> Path:
    """Returns the run folder; every line of the log was written to the logger, that of the fourth step twice."""
    data, held_out = photographs_in(folder / "data"), folder / "held"
    stream = torch.Generator().manual_seed(9)
    for index in range(2):
        write_image(held_out / f"photo{index}.png", torch.rand(3, 24, 30, generator=stream))
    options = config(data, folder / "run", valid=held_out, save_every=3, log_every=1, log=logger)
    with pytest.raises(KeyboardInterrupt):
        train(options, _BrokenOff())
    train(options, _Strict())
    return folder / "run"
