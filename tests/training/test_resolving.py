"""What is left to defaults, and what the first of the pairs says."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pdloss.errors import SpecError
from pdloss.runs import RunFolder
from pdloss.training.configuration import TrainConfig
from pdloss.training.ranks import Ranks
from pdloss.training.resolving import pairs_degradation, resolved
from tests.runs_for_tests import config, pairs_in, photographs_in


@pytest.fixture
def pairs(tmp_path: Path) -> TrainConfig:
    return pairs_in(tmp_path)


def test_pairs_say_their_scale_and_photographs_alone_do_not(pairs: TrainConfig) -> None:
    assert str(pairs_degradation(pairs)) == "given(factor=2)"
    assert pairs_degradation(replace(pairs, degraded=None)) is None


def test_a_degradation_beside_pairs_is_refused(pairs: TrainConfig) -> None:
    with pytest.raises(SpecError, match="has no effect on the pairs of --degraded"):
        pairs_degradation(replace(pairs, degradation="noise"))


def test_every_default_is_said_and_what_was_asked_for_stays(tmp_path: Path) -> None:
    given = replace(config(photographs_in(tmp_path / "photographs"), tmp_path / "run"), crop=None, degradation=None)
    asked = resolved(given, RunFolder(given.out), Ranks(device=torch.device("cpu")))
    assert asked.options.crop == asked.purpose.crop > 0
    assert asked.options.degradation == asked.purpose.degradation.in_full() != ""
    assert asked.options.precision in ("bfloat16", "float32")
    assert (asked.options.steps, asked.options.loss) == (given.steps, asked.objective.in_full())
    assert asked.first is None
    assert not given.out.exists(), "nothing is written"
