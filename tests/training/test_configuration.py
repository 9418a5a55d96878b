"""What a training is told: numbers that make no sense are refused with the option and the value."""

from dataclasses import replace
from pathlib import Path

import pytest

from pdloss.errors import SpecError
from pdloss.training.configuration import TrainConfig

CONFIG = TrainConfig(data="photographs", out=Path("run"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "--steps must be at least 1, got 0"),
        ({"save_every": -1}, "--save-every must be at least 1, got -1"),
        ({"lr": 0.0}, "--lr must be positive, got 0.0"),
        ({"lr": float("nan")}, "--lr must be positive, got nan"),
        ({"ema": 1.0}, "--ema must be from 0 to below 1, got 1.0"),
        ({"crop": 0}, "--crop must be at least 1, got 0"),
        ({"batch": 16, "accumulate": 3}, "--batch 16 cannot be computed in 3 equal parts"),
        ({"workers": -1}, "--workers must be from 0"),
        ({"compile": True, "scales": "all"}, "--compile and --scales all exclude each other"),
        ({"valid_degraded": Path("blur")}, "--valid-degraded blur needs its targets"),
        ({"degraded": "blur", "valid": Path("sharp")}, "--valid sharp needs its degraded photographs too"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_option(changes: dict[str, object], said: str) -> None:
    CONFIG.validate()
    with pytest.raises(SpecError, match=said):
        replace(CONFIG, **changes).validate()


def test_what_was_not_typed_trusts_the_listed_modules_only() -> None:
    assert CONFIG.trusted == CONFIG.received
    assert replace(CONFIG, typed=True).trusted != CONFIG.received
    assert replace(CONFIG, trust=("mine",)).trusted != CONFIG.trusted
