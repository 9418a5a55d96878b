"""How a number, a p-value and a metric's heading are written, wherever they are shown."""

import math

from pdloss.records import Metric

MINUS, DASH, UNKNOWN = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{EM DASH}"
"""Before negative numbers; where there is no number; where something is not known."""

ARROWS = {"higher": "↑", "lower": "↓", "zero": "→0"}


def number(value: float, digits: int, sign: bool = False) -> str:
    """Returns the value with a true minus sign, none before zero, and a plus on request.

    Example:
        >>> number(-1.0, 2), number(1.0, 2, sign=True), number(-0.001, 2)
        ('−1.00', '+1.00', '0.00')
    """
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{digits}f}".replace("-", MINUS)


def decimals(value: float) -> int:
    """Returns how many decimals show a number to about four figures: two for 29.83, four for 0.1234, six at most."""
    if not 0 < abs(value) < 1:
        return 2 if abs(value) >= 10 else 3 if value else 4
    return min(6, max(4, 2 - math.floor(math.log10(abs(value)))))


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
