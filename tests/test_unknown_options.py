"""No public function or class takes a value that it does not know for another."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("unknown_options.py")


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """What every option said to a value that it cannot know, by its name."""
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    return {answer["option"]: answer for answer in json.loads(done.stdout)}


def test_every_option_refuses_a_value_that_it_does_not_know(answers: dict[str, dict[str, Any]]) -> None:
    accepted = {name: answer["said"] for name, answer in answers.items() if not answer["refused"]}
    assert not accepted


def test_every_refusal_names_the_value_and_the_known_ones(answers: dict[str, dict[str, Any]]) -> None:
    for name, answer in answers.items():
        for word in (answer["value"], *answer["known"]):
            assert str(word) in answer["said"], name


def test_options_are_found_by_looking_at_signatures(answers: dict[str, dict[str, Any]]) -> None:
    rooms = {name.split(".")[1] for name in answers}
    assert rooms == {"ops", "features", "losses", "metrics", "networks", "degradations"}
    for option in (
        "pdloss.ops.jpeg.jpeg(rounding)",
        "pdloss.losses.pixel.pixel_loss(p)",
        "pdloss.losses.adversarial.AdversarialLoss(objective)",
        "pdloss.degradations.downscale.Downscale(factor)",
    ):
        assert option in answers
