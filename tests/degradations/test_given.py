"""What stands for the degradation of real pairs: a text in records, and nothing that can be applied."""

import pytest
import torch

from pdloss import degradations
from pdloss.degradations import Chain
from pdloss.degradations.given import Given, is_given
from pdloss.errors import SpecError


def test_it_says_how_much_smaller_the_degraded_pictures_are() -> None:
    assert Given(factor=4).in_full() == "given(factor=4)"
    assert is_given(str(Chain((Given(factor=4),))))
    assert not is_given("noise(sigma=0.1)")


def test_it_cannot_be_applied_nor_asked_for() -> None:
    with pytest.raises(SpecError, match="no degradation that can be applied"):
        Given(factor=2)(torch.zeros(3, 8, 8), torch.Generator())
    with pytest.raises(SpecError, match="given"):
        degradations.parse("given(factor=2)")
