"""A tiny model of a run that went on from another, packed and measured."""

from pathlib import Path
from typing import NamedTuple

import pytest

from pdloss.models.evaluating import evaluate_model
from pdloss.models.packing import pack
from pdloss.models.scores import ModelScores
from tests.runs_for_tests import photographs_in, trained_run

TERMS = "smooth random pictures, on no terms"


class Made(NamedTuple):
    """Where everything lies."""

    start: Path
    run: Path
    file: Path
    data: Path
    out: Path
    scores: ModelScores


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A model and its -l1 sibling, on two photographs that neither was trained on."""
    folder = tmp_path_factory.mktemp("models")
    trained_on = photographs_in(folder / "trained_on")
    measured = photographs_in(folder / "measured", count=3)
    for photo in ("photo0.png", "photo1.png"):
        (measured / photo).unlink()
    start = trained_run(folder / "start", trained_on, degradation="jpeg(quality=10..95)", task="jpeg")
    usual = {"degradation": "jpeg(quality=10..95)", "task": "jpeg", "init": start, "seed": 1, "steps": 3}
    other = trained_run(folder / "other", trained_on, **usual, lr=1e-2)
    run = trained_run(folder / "run", trained_on, **usual)
    file = pack(run, "tiny", folder / "packed", data=TERMS)
    sibling = pack(other, "tiny-l1", folder / "packed", data=TERMS)
    evaluate_model(sibling, [measured], folder / "out", metric_names=["psnr"], device="cpu")
    scores = evaluate_model(file, [measured], folder / "out", metric_names=["psnr"], beside=["tiny-l1"], device="cpu")
    return Made(start, run, file, measured, folder / "out", scores)
