"""The one small language of choices: ``"edsr(blocks=16)"`` ↔ ``EDSR(blocks=16)``.

A *choice* is a frozen dataclass with a short name. Text and object say the same: `str` of a choice is the text that
makes it again. Losses add up with ``+`` and ``*``, degradations chain with ``|``. Where an option may be drawn anew for
every image, a range stands for it: ``0..5/255`` (uniform) or ``log(1/255..50/255)`` (its logarithm is uniform). Text is
read with `ast`, never evaluated; names, types and limits are checked against the dataclass, and an error quotes the
offending word.

A user's own class joins in as ``package.module:Name(key=value)``.
"""

import ast
import dataclasses
import difflib
import functools
import importlib
import math
import operator
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from pdloss.errors import SpecError

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

# What Python's grammar lacks, replaced before parsing: the colon of package.module:Name, and the dots of a range by an
# operator that binds less than arithmetic and more than |. The first group, quoted strings, is left alone.
_OURS = re.compile(r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|([A-Za-z_][\w.]*):([A-Za-z_]\w*)|(\.{2,}|>>)")
_DOTS = " >> "
_DOTTED = re.compile(r"[\w.]+")


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


@dataclass(frozen=True)
class Choice:
    """Base of every choice: a frozen dataclass with a short name in text, given as ``class X(Choice, name="x")``.

    Field values are checked, and converted where that loses nothing (1 to 1.0), against the annotations; ranges are
    written as ``Annotated[float, msgspec.Meta(ge=0)]``; ``| Range`` behind it lets the option be drawn.

    Raises:
        SpecError: If a value has the wrong type or lies outside its range.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, *, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name:
            cls.name = name

    def __post_init__(self) -> None:
        for name, value in checked(type(self), vars(self)).items():
            object.__setattr__(self, name, value)

    def build(self) -> Any:
        """Returns what the choice stands for; by default the choice is itself the callable."""
        return self

    def in_full(self) -> str:
        """Returns the text with every option, defaults too: what a record needs to mean the same for ever."""
        return call_text(self.name, {f.name: getattr(self, f.name) for f in dataclasses.fields(self)})

    def __str__(self) -> str:
        changed = [f for f in dataclasses.fields(self) if getattr(self, f.name) != f.default]
        return call_text(self.name, {f.name: getattr(self, f.name) for f in changed})


@dataclass(frozen=True)
class Own(Choice, name="own"):
    """A user's own class, named as ``package.module:Name(key=value)``; looked for in the working folder too."""

    path: str
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)

    def build(self) -> Any:
        """Returns ``Name(**arguments)``.

        Raises:
            SpecError: If the module or the name does not exist, or refuses the arguments.
        """
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, here)
        module, _, name = self.path.partition(":")
        try:
            return getattr(importlib.import_module(module), name)(**self.arguments)
        except (ImportError, AttributeError, TypeError) as error:
            raise SpecError(f"{self.path}: {error}") from error

    def in_full(self) -> str:
        """Returns the text; the defaults of a class outside the library are its own."""
        return str(self)

    def __str__(self) -> str:
        return call_text(self.path, self.arguments)

    def __hash__(self) -> int:
        return hash(self.path)  # equal arguments may stand in another order


@dataclass(frozen=True)
class Call:
    """A name with its options as text has them: nothing is looked up, so that it can be read without torch."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    """By name, in alphabetical order; lists as tuples."""

    def __str__(self) -> str:
        return call_text(self.name, dict(self.options))


def read_sum(text: str, noun: str = "loss") -> tuple[tuple[float, Call], ...]:
    """Returns the (weight, call) terms of ``"a + 0.01*b(…)"``, whatever the names are.

    Raises:
        SpecError: If the text is no weighted sum of ``name`` or ``name(key=value, …)``.

    Example:
        >>> read_sum("2*l1")
        ((2.0, Call(name='l1', options=())),)
    """
    return tuple((w, _read_call(node, text, noun)) for w, node in _weighted(text, noun, f"weight*{noun}"))


@dataclass(frozen=True)
class Family:
    """The choices that answer one question, by name: ``Family("loss", (L1, PDL))``."""

    noun: str
    members: tuple[type[Choice], ...]

    @property
    def table(self) -> dict[str, type[Choice]]:
        """The members by their name in text."""
        return {member.name: member for member in self.members}

    def parse(self, text: str) -> Choice:
        """Returns the one choice that `text` names.

        Raises:
            SpecError: If the text is not ``name`` or ``name(key=value, …)``, or a name or value is wrong.
        """
        return self._call(_expression(text, self.noun), text)

    def parse_sum(self, text: str) -> tuple[tuple[float, Choice], ...]:
        """Returns the (weight, choice) terms of ``"a + 0.01*b(…)"``.

        Raises:
            SpecError: As `parse`; also if a weight is negative or not a number.
        """
        nodes = _weighted(text, self.noun, f"weight*{self.noun}, such as 0.01*{self.members[-1].name}")
        return tuple((weight, self._call(node, text)) for weight, node in nodes)

    def parse_chain(self, text: str) -> tuple[Choice, ...]:
        """Returns the choices of ``"a(…) | b"``, first applied first.

        Raises:
            SpecError: As `parse`.
        """
        tree = _expression(text, self.noun)
        if isinstance(tree, ast.Tuple) or (isinstance(tree, ast.BinOp) and not isinstance(tree.op, ast.BitOr)):
            raise _error(text, tree, f"one {self.noun} follows another after a |, as in a | b")
        return tuple(self._call(node, text) for node in _flatten(tree, ast.BitOr))

    def _call(self, node: ast.expr, text: str) -> Choice:
        call = node if isinstance(node, ast.Call) else None
        function = call.func if call else node
        dotted = ast.unparse(function)
        if isinstance(function, ast.Attribute) and _DOTTED.fullmatch(dotted):
            path = dotted[: dotted.rindex(".")] + ":" + function.attr
            return Own(path, _arguments(call, text, None))
        if not isinstance(function, ast.Name):
            raise _error(text, node, f"expected the name of a {self.noun}: {', '.join(self.table)}")
        if function.id not in self.table:
            raise _error(text, function, f"unknown {self.noun} {function.id!r}{suggestion(function.id, self.table)}")
        member = self.table[function.id]
        arguments = _arguments(call, text, [field.name for field in dataclasses.fields(member)])
        try:
            return member(**checked(member, arguments))
        except SpecError as error:
            raise SpecError(f"in {text!r}: {error}") from None


def checked(kind: type[Choice], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values for fields of a choice, converted where that loses nothing (1 to 1.0).

    Raises:
        SpecError: If one has the wrong type or lies outside its range.
    """
    hints = get_type_hints(kind, include_extras=True)
    result = {}
    for name, value in values.items():
        try:
            result[name] = _converted(value, hints[name])
        except msgspec.ValidationError as error:
            problem = str(error)
            if get_origin(hints[name]) is Literal:
                problem = f"expected one of {', '.join(map(repr, get_args(hints[name])))}"
            raise SpecError(f"{kind.name}({name}={value!r}): {problem[0].lower()}{problem[1:]}") from None
        if isinstance(result[name], float) and not math.isfinite(result[name]):
            raise SpecError(f"{kind.name}({name}={value!r}): expected a finite number")
    return result


def _converted(value: Any, hint: Any) -> Any:
    """Returns the value in the type of the hint; of a range, with both its bounds so."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    plain: Any = functools.reduce(operator.or_, (kind for kind in kinds if kind is not Range))
    if not isinstance(value, Range):
        return msgspec.convert(value, plain)
    if Range not in kinds:
        raise msgspec.ValidationError("Expected one value, this option is not drawn from a range")
    low, high = (msgspec.convert(bound, plain) for bound in (value.low, value.high))
    return Range(low, high, value.log)


def call_text(name: str, arguments: Mapping[str, object]) -> str:
    """Returns ``name(key=value, …)``, or the bare name without arguments."""
    inside = ", ".join(f"{key}={value_text(value)}" for key, value in arguments.items())
    return f"{name}({inside})" if inside else name


def sum_text(terms: Iterable[tuple[float, str]]) -> str:
    """Returns the text of a weighted sum; a weight of one is left out."""
    return " + ".join(text if weight == 1 else f"{value_text(weight)}*{text}" for weight, text in terms)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Returns ``"; did you mean 'x'? Known: …"``, the tail of an error about an unknown name."""
    known = list(known)
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{guess} Known: {', '.join(known) or 'none'}"


def value_text(value: object) -> str:
    """Returns a value as it is written in text, floats in their shortest form."""
    if isinstance(value, float):  # of numpy's kind too, whose repr is not a number
        return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
    return repr(value)


def _expression(text: str, noun: str) -> ast.expr:
    if wrong := next((m for m in _OURS.finditer(text) if m[4] and m[4] != ".."), None):
        raise SpecError(f"in {text!r}, at {wrong[4]!r}: a range is written with two dots, such as 0..0.5")
    readable = _OURS.sub(lambda m: m[1] or (_DOTS if m[4] else f"{m[2]}.{m[3]}"), text)
    try:
        return ast.parse(readable.strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"cannot read the {noun} {text!r}: {_hint(text) or error.msg}") from None
    except (ValueError, RecursionError, MemoryError):  # what ast raises at lone surrogates and at endless nesting
        raise SpecError(f"cannot read the {noun} {text[:100]!r}…: it is too long, or not text") from None


def _hint(text: str) -> str:
    """Returns what is likely meant by a text that cannot be read; empty if nothing comes to mind."""
    if found := re.search(r"[×·∗⋅]", text):  # noqa: RUF001
        return f"write * for {found[0]!r}"
    if found := re.search(r"[‘’“”„«»]", text):  # noqa: RUF001
        return f"write a straight ' for {found[0]!r}"
    if found := re.search(r"(?<![\w.])(\d+),(\d+)\s*\*", text):
        return f"write a number with a point: {found[1]}.{found[2]}"
    if found := re.search(r"(?<![\w.])(\d*\.?\d+(?:[eE][-+]?\d+)?)\s*(?![eE]?\d)([A-Za-z_]\w*)", text):
        return f"between {found[1]!r} and {found[2]!r} stands nothing; write {found[1]}*{found[2]}"
    if found := re.search(r"[\w)]\s+[\w.]", text):
        return "two things stand side by side; write + between terms of a loss, | between degradations"
    return ""


def _weighted(text: str, noun: str, expected: str) -> Iterable[tuple[float, ast.expr]]:
    """Yields the weight and the one name or call of every term of a sum."""
    for node in _flatten(_expression(text, noun), ast.Add):
        factors = list(_flatten(node, ast.Mult))
        calls = [f for f in factors if isinstance(f, ast.Call | ast.Name | ast.Attribute)]
        if len(calls) != 1:
            raise _error(text, node, f"expected {expected}")
        try:
            weight = math.prod(float(_number(f, text)) for f in factors if f is not calls[0])
        except OverflowError:  # a whole number beyond all floating-point ones
            weight = math.inf
        if not 0 <= weight < math.inf:
            raise _error(text, node, f"the weight must be finite and not negative, got {weight:g}")
        yield weight, calls[0]


def _read_call(node: ast.expr, text: str, noun: str) -> Call:
    call = node if isinstance(node, ast.Call) else None
    name = ast.unparse(call.func if call else node)
    if not _DOTTED.fullmatch(name):
        raise _error(text, node, f"expected the name of a {noun}")
    name = ":".join(name.rsplit(".", 1))  # package.module:Name
    return Call(name, tuple(sorted((key, _frozen(value)) for key, value in _arguments(call, text, None).items())))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _arguments(call: ast.Call | None, text: str, allowed: list[str] | None) -> dict[str, Any]:
    if call is None:
        return {}
    if call.args:
        raise _error(text, call.args[0], "write the option's name too, as key=value")
    for keyword in call.keywords:
        if keyword.arg is None:
            raise _error(text, call, "write every option as key=value")
        if allowed is not None and keyword.arg not in allowed:
            where = f"{ast.unparse(call.func)} has no option {keyword.arg!r}"
            raise _error(text, keyword, where + suggestion(keyword.arg, allowed))
    if twice := [word for word, count in Counter(k.arg for k in call.keywords).items() if count > 1]:
        raise _error(text, call, f"{twice[0]!r} is given twice")
    return {str(keyword.arg): _value(keyword.value, text) for keyword in call.keywords}


def _flatten(node: ast.expr, kind: type[ast.operator]) -> Iterable[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        yield from _flatten(node.left, kind)
        yield from _flatten(node.right, kind)
    else:
        yield node


def _value(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return node.value
    if isinstance(node, ast.Tuple | ast.List):
        return [_value(item, text) for item in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "log":
        if len(node.args) == 1 and not node.keywords and _is_range(node.args[0]):
            return _range(node.args[0], text, log=True)
        raise _error(text, node, "log takes one range, such as log(1/255..50/255)")
    if _is_range(node):
        return _range(node, text)
    return _number(node, text)


def _is_range(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)


def _range(node: Any, text: str, log: bool = False) -> Range:
    low, high = _number(node.left, text), _number(node.right, text)
    try:
        return Range(low, high, log)
    except SpecError as error:
        raise _error(text, node, str(error)) from None


def _number(node: ast.expr, text: str) -> int | float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, text)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        try:
            value = _OPERATORS[type(node.op)](_number(node.left, text), _number(node.right, text))
        except ArithmeticError as error:
            raise _error(text, node, str(error)) from None
        return float(value) if isinstance(value, float) else int(value)
    quoted = f"; a word stands in quotes: '{ast.unparse(node)}'" if isinstance(node, ast.Name | ast.Attribute) else ""
    expected = f"expected a number, such as 0.01 or 100/255, True, False, or a 'quoted' word{quoted}"
    raise _error(text, node, expected)


def _error(text: str, node: ast.AST, problem: str) -> SpecError:
    word = ast.unparse(node).replace(_DOTS, "..")
    return SpecError(f"in {text!r}, at {word!r}: {problem}")
