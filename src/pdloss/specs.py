"""The one small language of choices: ``"edsr(blocks=16)"`` ↔ ``EDSR(blocks=16)``.

A *choice* is a frozen dataclass with a short name. Text and object say the same: `str` of a choice is the text that
makes it again. Losses add up with ``+`` and ``*``, degradations chain with ``|``. Text is read with `ast`, never
evaluated; names, types and ranges are checked against the dataclass, and an error quotes the offending word.

A user's own class joins in as ``package.module:Name(key=value)``.
"""

import ast
import dataclasses
import difflib
import importlib
import math
import operator
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import msgspec

from pdloss.errors import SpecError

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

# A quoted string, or package.module:Name; only the latter's colon is replaced before parsing.
_OWN_NAME = re.compile(r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
_DOTTED = re.compile(r"[\w.]+")


@dataclass(frozen=True)
class Choice:
    """Base of every choice: a frozen dataclass with a short name in text, given as ``class X(Choice, name="x")``.

    Field values are checked, and converted where that loses nothing (1 to 1.0), against the annotations; ranges are
    written as ``Annotated[float, msgspec.Meta(ge=0)]``.

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
        return tuple(self._term(node, text) for node in _flatten(_expression(text, self.noun), ast.Add))

    def parse_chain(self, text: str) -> tuple[Choice, ...]:
        """Returns the choices of ``"a(…) | b"``, first applied first.

        Raises:
            SpecError: As `parse`.
        """
        return tuple(self._call(node, text) for node in _flatten(_expression(text, self.noun), ast.BitOr))

    def _term(self, node: ast.expr, text: str) -> tuple[float, Choice]:
        factors = list(_flatten(node, ast.Mult))
        calls = [f for f in factors if isinstance(f, ast.Call | ast.Name | ast.Attribute)]
        if len(calls) != 1:
            raise _error(text, node, f"expected weight*{self.noun}, such as 0.01*{self.members[-1].name}")
        try:
            weight = math.prod(float(_number(f, text)) for f in factors if f is not calls[0])
        except OverflowError:  # a whole number beyond all floating-point ones
            weight = math.inf
        if not 0 <= weight < math.inf:
            raise _error(text, node, f"the weight must be finite and not negative, got {weight:g}")
        return weight, self._call(calls[0], text)

    def _call(self, node: ast.expr, text: str) -> Choice:
        call = node if isinstance(node, ast.Call) else None
        function = call.func if call else node
        dotted = ast.unparse(function)
        if isinstance(function, ast.Attribute) and _DOTTED.fullmatch(dotted):
            path = dotted[: dotted.rindex(".")] + ":" + function.attr
            return Own(path, self._arguments(call, text, None))
        if not isinstance(function, ast.Name):
            raise _error(text, node, f"expected the name of a {self.noun}: {', '.join(self.table)}")
        if function.id not in self.table:
            raise _error(text, function, f"unknown {self.noun} {function.id!r}{suggestion(function.id, self.table)}")
        member = self.table[function.id]
        arguments = self._arguments(call, text, [field.name for field in dataclasses.fields(member)])
        try:
            return member(**checked(member, arguments))
        except SpecError as error:
            raise SpecError(f"in {text!r}: {error}") from None

    def _arguments(self, call: ast.Call | None, text: str, allowed: list[str] | None) -> dict[str, Any]:
        if call is None:
            return {}
        if call.args:
            raise _error(text, call.args[0], "write the option's name too, as key=value")
        for keyword in call.keywords:
            if keyword.arg is None or (allowed is not None and keyword.arg not in allowed):
                where = f"{ast.unparse(call.func)} has no option {keyword.arg!r}"
                raise _error(text, keyword, where + suggestion(str(keyword.arg), allowed or []))
        if twice := [word for word, count in Counter(k.arg for k in call.keywords).items() if count > 1]:
            raise _error(text, call, f"{twice[0]!r} is given twice")
        return {str(keyword.arg): _value(keyword.value, text) for keyword in call.keywords}


def checked(kind: type[Choice], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values for fields of a choice, converted where that loses nothing (1 to 1.0).

    Raises:
        SpecError: If one has the wrong type or lies outside its range.
    """
    hints = get_type_hints(kind, include_extras=True)
    result = {}
    for name, value in values.items():
        try:
            result[name] = msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            problem = str(error)
            if get_origin(hints[name]) is Literal:
                problem = f"expected one of {', '.join(map(repr, get_args(hints[name])))}"
            raise SpecError(f"{kind.name}({name}={value!r}): {problem[0].lower()}{problem[1:]}") from None
        if isinstance(result[name], float) and not math.isfinite(result[name]):
            raise SpecError(f"{kind.name}({name}={value!r}): expected a finite number")
    return result


def call_text(name: str, arguments: Mapping[str, object]) -> str:
    """Returns ``name(key=value, …)``, or the bare name without arguments."""
    inside = ", ".join(f"{key}={_value_text(value)}" for key, value in arguments.items())
    return f"{name}({inside})" if inside else name


def sum_text(terms: Iterable[tuple[float, str]]) -> str:
    """Returns the text of a weighted sum; a weight of one is left out."""
    return " + ".join(text if weight == 1 else f"{_value_text(weight)}*{text}" for weight, text in terms)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Returns ``"; did you mean 'x'? Known: …"``, the tail of an error about an unknown name."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{guess} Known: {', '.join(known) or 'none'}"


def _value_text(value: object) -> str:
    if isinstance(value, float):  # of numpy's kind too, whose repr is not a number
        return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
    return repr(value)


def _expression(text: str, noun: str) -> ast.expr:
    readable = _OWN_NAME.sub(lambda m: m[1] or f"{m[2]}.{m[3]}", text)
    try:
        return ast.parse(readable.strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"cannot read the {noun} {text!r}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):  # what ast raises at lone surrogates and at endless nesting
        raise SpecError(f"cannot read the {noun} {text[:100]!r}…: it is too long, or not text") from None


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
    return _number(node, text)


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
    raise _error(text, node, "expected a number, such as 0.01 or 100/255, or a 'quoted' word")


def _error(text: str, node: ast.AST, problem: str) -> SpecError:
    word = ast.unparse(node)
    return SpecError(f"in {text!r}, at {word!r}: {problem}")
