"""Options that take one of a few known values, and the refusal of any other."""

from typing import Any, get_args


def check_option(known: Any, **given: object) -> None:
    """Refuses options whose value is not known: taken as some other, it would give wrong numbers without a word.

    Args:
        known: The values, as ``Literal["dot", "l2"]``.
        given: Value of each option, by its name.

    Raises:
        ValueError: Naming the option, the known values and the one given.

    Example:
        >>> from typing import Literal
        >>> check_option(Literal["dot", "l2"], distance="cosine")
        Traceback (most recent call last):
        ValueError: distance must be one of dot, l2, got 'cosine'
    """
    values = get_args(known)
    for name, value in given.items():
        if value not in values:
            raise ValueError(f"{name} must be one of {', '.join(map(str, values))}, got {value!r}")
