"""Which images are shown, and how much of them: rules, so that nobody chooses by eye."""

from collections.abc import Sequence

SIDE = 112
"""Pixels along a crop's side: five crops at twice the size fit a page of 1200, and 2, 4, 7 and 8 divide it."""


def chosen(apart: Sequence[float], gains: Sequence[float] | None, largest: int = 3) -> list[tuple[int, str]]:
    """Returns the images to show, by their place, and why: each once, for the first rule that names it.

    Args:
        apart: How far the runs' most different windows are apart, one value per image.
        gains: How much the run in question gains on each image over the one it is compared with.
        largest: How many of the images that differ most.

    Example:
        >>> chosen([5.0, 9.0, 1.0, 2.0], [0.1, 0.2, 0.4, -0.3], largest=1)
        [(1, 'largest disagreement'), (0, 'median disagreement'), (2, 'best case'), (3, 'worst case')]
    """
    order = sorted(range(len(apart)), key=lambda i: (-apart[i], i))
    wanted = [(i, "largest disagreement" if rank == 0 else f"disagreement no. {rank + 1}") for rank, i in
              enumerate(order[:largest])]  # fmt: skip
    wanted += [(order[(len(order) - 1) // 2], "median disagreement")] if order else []
    if gains:
        ranked = sorted(range(len(gains)), key=lambda i: (-gains[i], i))
        wanted += [(ranked[0], "best case"), (ranked[-1], "worst case")]
    reasons: dict[int, str] = {}
    for i, why in wanted:
        reasons.setdefault(i, why)
    return list(reasons.items())
