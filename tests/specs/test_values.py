"""The values in the text of a choice."""

import pytest

from pdloss.specs import call_text


def test_call_text_writes_numbers_as_briefly_as_is_exact() -> None:
    assert call_text("f", {}) == "f"
    assert call_text("f", {"a": 0.1 + 0.2, "b": 1.0, "c": 1e-9}) == "f(a=0.30000000000000004, b=1, c=1e-09)"


def test_numbers_of_other_libraries_are_written_as_plain_ones() -> None:
    numpy = pytest.importorskip("numpy")
    assert call_text("f", {"a": numpy.float64(1 / 3)}) == f"f(a={1 / 3!r})"
