"""How many raters a study needs to see a preference."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple


class Need(NamedTuple):
    """What it takes to tell a preference from no preference."""

    share: float
    """Of the answers for the better method."""
    answers: int
    """To the pair, if it is the only one tested."""
    raters: int
    """So that every pair gets so many answers."""
    raters_of_all: int
    """So that this holds for every pair at once, however many are tested (Bonferroni, which Holm starts from)."""


def answers_needed(share: float, power: float = 0.8, level: float = 0.05) -> int:
    r"""Returns how many independent answers show, two-sidedly, that `share` is not one half.

    .. math:: n = \left(\frac{z_{1-\alpha/2} \cdot \frac12 + z_\text{power} \sqrt{p (1 - p)}}{p - \frac12}\right)^2

    Args:
        share: Preference to be seen, not 0.5.
        power: Chance of seeing it.
        level: Chance of seeing one where there is none.

    Example:
        >>> answers_needed(0.6), answers_needed(0.55)
        (194, 783)
    """
    z = NormalDist().inv_cdf
    apart = z(1 - level / 2) / 2 + z(power) * math.sqrt(share * (1 - share))
    return math.ceil((apart / (share - 0.5)) ** 2)


def power_table(
    pairs: int, questions: int, shares: Sequence[float] = (0.55, 0.6, 0.65, 0.7, 0.8), power: float = 0.8
) -> list[Need]:
    """Returns what each preference needs, at 5 %.

    Answers count as independent. Those of one rater, or on one image, are not quite: plan for more.

    Args:
        pairs: Pairs of methods, asked equally often.
        questions: Comparisons that each rater answers.
        shares: Preferences to be seen.
        power: Chance of seeing one.

    Example:
        >>> power_table(pairs=1, questions=20)[1]
        Need(share=0.6, answers=194, raters=10, raters_of_all=10)
    """
    return [
        Need(
            share,
            answers_needed(share, power),
            math.ceil(answers_needed(share, power) * pairs / questions),
            math.ceil(answers_needed(share, power, 0.05 / pairs) * pairs / questions),
        )
        for share in shares
    ]
