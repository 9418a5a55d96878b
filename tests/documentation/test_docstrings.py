"""Docstrings as Markdown."""

import pytest

from documentation.docstrings import markdown

pytest.importorskip("latex2mathml")


def area(width: float) -> float:
    r"""Returns the area of a square, :math:`w^2`.

    .. math:: A = w^2

    Only ``positive`` ones.

    Args:
        width: Its side, at least 0,
            in metres.

    Example:
        >>> area(2.0)
        4.0
    """
    return width**2


def test_sections_formulas_and_code_are_markdown() -> None:
    made = markdown(area)
    assert made.count("<math") == 2
    assert 'display="block"' in made
    assert "Only `positive` ones." in made
    assert "- `width`: Its side, at least 0, in metres." in made
    assert "```pycon\n>>> area(2.0)\n4.0\n```" in made


def test_nothing_said_is_nothing_shown() -> None:
    assert markdown(lambda: None) == ""
