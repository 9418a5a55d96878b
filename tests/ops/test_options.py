"""Options that take one of a few known values."""

from typing import Literal

import pytest

from pdloss.ops.options import check_option


def test_known_values_pass_and_every_other_is_named_with_its_option() -> None:
    known = Literal[1, "two"]
    check_option(known, first=1, second="two")
    with pytest.raises(ValueError, match="second must be one of 1, two, got 'three'"):
        check_option(known, first=1, second="three")
    with pytest.raises(ValueError, match="got None"):
        check_option(known, first=None)
