"""The values in the text of a choice: numbers, fractions, quoted words, lists, and ranges to draw from."""

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pdloss.errors import SpecError
from pdloss.specs.expressions import error_at

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, repr=False)
class Range:
    """An interval to draw a number from, anew for every image: ``0..5/255`` in text, or ``log(1/255..50/255)``.

    An option takes one where its annotation says so, ``float | Range``; both bounds must lie within its limits. Between
    whole bounds of a whole-numbered option, whole numbers are drawn, both bounds included.

    Args:
        low: The lower bound.
        high: The upper bound, not below the lower.
        log: Whether the logarithm is uniform, and not the number: each doubling is then as likely as the next.

    Raises:
        SpecError: If a bound is not finite, the upper is below the lower, or `log` meets a bound that is not positive.

    Example:
        >>> Range(1, 100, log=True)
        log(1..100)
    """

    low: int | float
    high: int | float
    log: bool = False

    def __post_init__(self) -> None:
        if not (abs(self.low) < math.inf and abs(self.high) < math.inf):  # isfinite breaks off at huge whole numbers
            raise SpecError(f"the range {self} needs finite bounds")
        if self.high < self.low:
            raise SpecError(f"the range {self} runs downwards; write the smaller bound first")
        if self.log and self.low <= 0:
            raise SpecError(f"the range {self} has no logarithm at its lower bound, which must be above 0")

    def __repr__(self) -> str:
        text = f"{value_text(self.low)}..{value_text(self.high)}"
        return f"log({text})" if self.log else text


def value_text(value: object) -> str:
    """Returns a value as it is written in text, floats in their shortest form."""
    if isinstance(value, float):  # of numpy's kind too, whose repr is not a number
        return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
    return repr(value)


def value_of(node: ast.expr, text: str) -> Any:
    """Returns what a node of the tree stands for.

    Raises:
        SpecError: If it is no value; the message quotes it out of the text.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return node.value
    if isinstance(node, ast.Tuple | ast.List):
        return [value_of(item, text) for item in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "log":
        if len(node.args) == 1 and not node.keywords and _is_range(node.args[0]):
            return _range(node.args[0], text, log=True)
        raise error_at(text, node, "log takes one range, such as log(1/255..50/255)")
    if _is_range(node):
        return _range(node, text)
    return number(node, text)


def _is_range(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)


def _range(node: Any, text: str, log: bool = False) -> Range:
    low, high = number(node.left, text), number(node.right, text)
    try:
        return Range(low, high, log)
    except SpecError as error:
        raise error_at(text, node, str(error)) from None


def number(node: ast.expr, text: str) -> int | float:
    """Returns the number that a node stands for: written, negated, or calculated as 100/255 is.

    Raises:
        SpecError: If it is none.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -number(node.operand, text)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        try:
            result = _OPERATORS[type(node.op)](number(node.left, text), number(node.right, text))
        except ArithmeticError as error:
            raise error_at(text, node, str(error)) from None
        return float(result) if isinstance(result, float) else int(result)
    quoted = f"; a word stands in quotes: '{ast.unparse(node)}'" if isinstance(node, ast.Name | ast.Attribute) else ""
    expected = f"expected a number, such as 0.01 or 100/255, True, False, or a 'quoted' word{quoted}"
    raise error_at(text, node, expected)
