"""What a training reads: photographs, or pairs that came degraded, of which the first tells the scale."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pdloss import degradations, networks
from pdloss.datasets import OwnPairs, Photographs
from pdloss.degradations import Chain
from pdloss.runs.purposes import Purpose
from pdloss.training.configuration import TrainConfig
from pdloss.training.data import training_data
from tests.runs_for_tests import pairs_in


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return pairs_in(tmp_path)


def aim(degradation: Chain) -> Purpose:
    return Purpose("denoise", networks.NETWORKS.parse("edsr"), degradation, 16, "as asked for")


def test_photographs_are_degraded_as_was_asked(config: TrainConfig) -> None:
    alone = replace(config, degraded=None)
    noise = degradations.parse("noise(sigma=0.1)")
    found, degradation = training_data(alone, aim(noise), lambda done, total: None)
    assert isinstance(found, Photographs)
    assert degradation is noise


def test_pairs_say_their_scale_and_come_as_they_are(config: TrainConfig) -> None:
    counted: list[tuple[int, int]] = []
    noise = degradations.parse("noise(sigma=0.1)")
    found, degradation = training_data(config, aim(noise), lambda *count: counted.append(count))
    assert isinstance(found, OwnPairs)
    assert str(degradation) == "given(factor=2)"
    assert len(found) == 2
    assert counted[-1] == (4, 4)
    assert np.isfinite(found.factor)
