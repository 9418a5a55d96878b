"""How a number, a p-value and a metric's heading are written, wherever they are shown."""

import math
import re
from collections.abc import Sequence

from pdloss.records import Metric

MINUS, DASH, UNKNOWN = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{EM DASH}"
"""Before negative numbers; where there is no number; where something is not known."""

INPUT = "degraded input"
"""What stands for a run's name where the scores are those of its input."""

ARROWS = {"higher": "↑", "lower": "↓", "zero": "→0"}


def number(value: float, digits: int, sign: bool = False) -> str:
    """Returns the value with a true minus sign, none before zero, and a plus on request.

    Example:
        >>> number(-1.0, 2), number(1.0, 2, sign=True), number(-0.001, 2)
        ('−1.00', '+1.00', '0.00')
    """
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{digits}f}".replace("-", MINUS)


def rounded(text: str) -> str:
    """Returns the text with long decimal fractions cut to four digits.

    Example:
        >>> rounded("noise(sigma=0.19607843137254902), seed 0")
        'noise(sigma=0.1961), seed 0'
    """
    return re.sub(r"\b\d+\.\d{6,}\b", lambda match: f"{float(match[0]):.4g}", text)


def four_figures(value: float) -> str:
    """Returns the value in at most four figures, with a power of ten where it is very large or small.

    Example:
        >>> four_figures(-0.12345), four_figures(3e-7), four_figures(-0.0)
        ('−0.1235', '3e−7', '0')
    """
    return f"{value + 0.0:.4g}".replace("e-0", "e-").replace("-", MINUS)


def decimals(*values: float) -> int:
    """Returns how many decimals show numbers to about four figures: two for 29.83, four for 0.1234, six at most.

    Of several, such as those of one column, the smallest has its four figures, and the largest at least three.

    Example:
        >>> decimals(29.83), decimals(29.83, 0.5), decimals(0.000179), decimals()
        (2, 4, 6, 2)
    """
    sizes = [abs(value) for value in values] or [math.inf]
    usual = 2 if min(sizes) >= 10 else 3 if min(sizes) >= 1 else 4
    # Three figures, as of distances between sets that hardly differ.
    return min(6, max(usual, 2 - math.floor(math.log10(max(sizes))))) if 0 < max(sizes) < 1 else usual


def between(low: float | None, high: float | None, digits: int, sign: bool = False) -> str:
    """Returns an interval in brackets, or nothing.

    Example:
        >>> between(0.1, 0.25, 2), between(-0.1, 0.2, 1, sign=True), between(None, None, 2)
        ('[0.10, 0.25]', '[−0.1, +0.2]', '')
    """
    if low is None or high is None:
        return ""
    return f"[{number(low, digits, sign)}, {number(high, digits, sign)}]"


def p_text(p_value: float | None) -> str:
    """Returns a p-value in two figures.

    Example:
        >>> p_text(0.03456), p_text(3e-7), p_text(None)
        ('0.035', '<0.0001', '–')
    """
    if p_value is None:
        return DASH
    return "<0.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def equal_text(count: int, without: float | None, digits: int) -> str:
    """Returns how many images equal their targets, and the mean of the others.

    Example:
        >>> equal_text(1, 29.526, 2), equal_text(3, None, 2)
        ('29.53 without 1 equal', '3 equal')
    """
    return f"{count} equal" if without is None else f"{number(without, digits)} without {count} equal"


def heading(metric: Metric) -> str:
    """Returns the label with unit and direction.

    Example:
        >>> heading(Metric(label="PSNR", unit="dB", better="higher", protocol=""))
        'PSNR (dB) ↑'
    """
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''} {ARROWS[metric.better]}"


def cost(value: float, metric: Metric) -> float:
    """Returns the score turned so that less is better."""
    import numpy as np  # here, for commands that show tables say without it what they can do

    from pdloss.statistics import frontier

    return float(frontier.cost(np.array([value]), metric.better)[0])


def best_of(values: Sequence[float | None], metric: Metric, digits: int) -> list[bool]:
    """Returns which of several values read as the best when rounded; none where only one is known.

    Example:
        >>> best_of([0.121, 0.124, None, 0.2], Metric(label="LPIPS", better="lower", protocol=""), 2)
        [True, True, False, False]
    """
    costs = [None if value is None else cost(round(value, digits), metric) for value in values]
    known = [one for one in costs if one is not None]
    return [len(known) > 1 and one == min(known) for one in costs]
