"""Lists of names, as a sentence has them."""

from collections.abc import Sequence


def first_few(names: Sequence[str], most: int = 3) -> str:
    """Returns the first of many names, and how many there are besides.

    Example:
        >>> first_few(["a", "b", "c", "d", "e"]), first_few(["a"]), first_few([])
        ('a, b, c and 2 more', 'a', 'nothing')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more


def all_of(names: Sequence[str]) -> str:
    """Returns the names as a sentence lists them.

    Example:
        >>> all_of(["a", "b", "c"]), all_of(["a"])
        ('a, b and c', 'a')
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
