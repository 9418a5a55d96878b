"""The one small language of choices: ``"edsr(blocks=16)"`` ↔ ``EDSR(blocks=16)``.

A *choice* is a frozen dataclass with a short name. Text and object say the same: `str` of a choice is the text that
makes it again. Losses add up with ``+`` and ``*``, degradations chain with ``|``. Where an option may be drawn anew for
every image, a range stands for it: ``0..5/255`` (uniform) or ``log(1/255..50/255)`` (its logarithm is uniform). Text is
read with `ast`, never evaluated; names, types and limits are checked against the dataclass, and an error quotes the
offending word.

A user's own class joins in as ``package.module:Name(key=value)``, in text that the user typed: what comes out of a file
is read with `pdloss.specs.trust.RECEIVED`, which is what every reader here takes unless told otherwise.
"""

import ast
import dataclasses
import difflib
import functools
import importlib
import math
import operator
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from pdloss.errors import SpecError, UserError
from pdloss.specs.expressions import check_words, error_at, expression, operands, own_path, shown
from pdloss.specs.trust import ANY_CLASS, RECEIVED, TYPED, Kind, Trust
from pdloss.specs.values import Range as Range
from pdloss.specs.values import number, value_of
from pdloss.specs.values import value_text as value_text


@dataclass(frozen=True)
class Choice:
    """Base of every choice: a frozen dataclass with a short name in text, given as ``class X(Choice, name="x")``.

    Field values are checked, and converted where that loses nothing (1 to 1.0), against the annotations; ranges are
    written as ``Annotated[float, msgspec.Meta(ge=0)]``; ``| Range`` behind it lets the option be drawn.

    Raises:
        SpecError: If a value has the wrong type or lies outside its range.
    """

    name: ClassVar[str]
    file_options: ClassVar[tuple[str, ...]] = ()
    """Options whose text names a file, never code, and may therefore hold a colon in text out of a file too."""
    later_options: ClassVar[tuple[str, ...]] = ()
    """Options that records from before do not have: the full text leaves them out where they change nothing."""

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
        """Returns the text with every option, defaults too: what a record needs to mean the same for ever.

        Only `later_options` are left out where they have their default, so that records of old and of new are equal.
        """
        values = {f.name: (getattr(self, f.name), f.default) for f in dataclasses.fields(self)}
        kept = {k: own for k, (own, default) in values.items() if k not in self.later_options or own != default}
        return call_text(self.name, kept)

    def __str__(self) -> str:
        changed = [f for f in dataclasses.fields(self) if getattr(self, f.name) != f.default]
        return call_text(self.name, {f.name: getattr(self, f.name) for f in changed})


@dataclass(frozen=True)
class Own(Choice, name="own"):
    """A user's own class, named as ``package.module:Name(key=value)``; looked for in the working folder too.

    Only text that may name the module becomes one: see `pdloss.specs.trust`.
    """

    path: str
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: Kind = dataclasses.field(default=ANY_CLASS, compare=False, repr=False)
    """What the class has to be."""

    def build(self) -> Any:
        """Returns ``Name(**arguments)``.

        Raises:
            SpecError: If the module or the name does not exist, is no class of the kind wanted, nor a function whose
                annotation says that it returns one, or refuses the arguments.
        """
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, here)
        module, _, name = self.path.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise SpecError(f"{self.path}: {error}") from error
        self.kind.check(self.path, found)
        try:
            made = found(**self.arguments)
        except (ImportError, AttributeError, TypeError) as error:
            raise SpecError(f"{self.path}: {error}") from error
        if not self.kind.fits(type(made)):
            raise SpecError(f"{self.path} made {made!r:.100}, and not {self.kind.said}")
        return made

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
    """Returns the (weight, call) terms of ``"a + 0.01*b(…)"``, whatever the names are; nothing is looked up.

    Raises:
        SpecError: If the text is no weighted sum of ``name`` or ``name(key=value, …)``.

    Example:
        >>> read_sum("2*l1")
        ((2.0, Call(name='l1', options=())),)
    """
    return tuple((weight, _read_call(node, text, noun)) for weight, node in _weighted(text, noun, f"weight*{noun}"))


@dataclass(frozen=True)
class Family:
    """The choices that answer one question, by name: ``Family("loss", (L1, PDL))``.

    Args:
        noun: What one of them is called.
        members: Those that the library has.
        own: What a user's own class must be; None if there are no such.
    """

    noun: str
    members: tuple[type[Choice], ...]
    own: Kind | None = ANY_CLASS

    @property
    def table(self) -> dict[str, type[Choice]]:
        """The members by their name in text."""
        return {member.name: member for member in self.members}

    def parse(self, text: str, trusted: Trust = RECEIVED) -> Choice:
        """Returns the one choice that `text` names.

        Args:
            text: The choice.
            trusted: Whose text it is: `TYPED` by the user, or, unless told otherwise, out of a file.

        Raises:
            SpecError: If the text is not ``name`` or ``name(key=value, …)``, a name or value is wrong, it is too long,
                or it names code that it may not name.
        """
        return self._call(expression(text, self.noun), text, trusted)

    def parse_sum(self, text: str, trusted: Trust = RECEIVED) -> tuple[tuple[float, Choice], ...]:
        """Returns the (weight, choice) terms of ``"a + 0.01*b(…)"``.

        Raises:
            SpecError: As `parse`; also if a weight is negative or not a number.
        """
        expected = f"weight*{self.noun}, such as 0.01*{self.members[-1].name}"
        terms = _weighted(text, self.noun, expected)
        return tuple((weight, self._call(node, text, trusted)) for weight, node in terms)

    def parse_chain(self, text: str, trusted: Trust = RECEIVED) -> tuple[Choice, ...]:
        """Returns the choices of ``"a(…) | b"``, first applied first.

        Raises:
            SpecError: As `parse`.
        """
        tree = expression(text, self.noun)
        if isinstance(tree, ast.Tuple) or (isinstance(tree, ast.BinOp) and not isinstance(tree.op, ast.BitOr)):
            raise error_at(text, tree, f"one {self.noun} follows another after a |, as in a | b")
        return tuple(self._call(node, text, trusted) for node in operands(tree, ast.BitOr, text))

    def _call(self, node: ast.expr, text: str, trusted: Trust) -> Choice:
        call = node if isinstance(node, ast.Call) else None
        function = call.func if call else node
        if self.own is not None and (path := own_path(function)):
            trusted.check(path)
            return Own(path, _arguments(call, text, None, trusted), self.own)
        if not isinstance(function, ast.Name):
            raise error_at(text, node, f"expected the name of a {self.noun}: {', '.join(self.table)}")
        if function.id not in self.table:
            raise error_at(text, function, f"unknown {self.noun} {function.id!r}{suggestion(function.id, self.table)}")
        member = self.table[function.id]
        fields = [field.name for field in dataclasses.fields(member)]
        arguments = _arguments(call, text, fields, trusted, member.file_options)
        try:
            return member(**checked(member, arguments))
        except SpecError as error:
            raise SpecError(f"in {shown(text)}: {error}") from None


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
            words = [w for arm in _arms(hints[name]) if get_origin(arm) is Literal for w in get_args(arm)]
            if words:
                problem = f"expected one of {', '.join(map(repr, words))}"
            raise SpecError(f"{kind.name}({name}={value!r:.300}): {problem[0].lower()}{problem[1:]}") from None
        within = result[name] if isinstance(result[name], tuple | list) else [result[name]]
        if any(isinstance(number, float) and not math.isfinite(number) for number in within):
            raise SpecError(f"{kind.name}({name}={value!r}): expected a finite number")
    return result


def _converted(value: Any, hint: Any) -> Any:
    """Returns the value in the type of the hint; of a range, with both its bounds so."""
    kinds = _arms(hint)
    plain: Any = functools.reduce(operator.or_, (kind for kind in kinds if kind is not Range))
    if not isinstance(value, Range):
        return msgspec.convert(value, plain)
    if Range not in kinds:
        raise msgspec.ValidationError("Expected one value, this option is not drawn from a range")
    low, high = (msgspec.convert(bound, plain) for bound in (value.low, value.high))
    return Range(low, high, value.log)


def _arms(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


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


def check_known(noun: str, name: str, known: Iterable[str], error: type[UserError] = SpecError) -> None:
    """Refuses a name that is not among the known ones.

    Args:
        noun: What it should be the name of, such as ``"task"``.
        name: The name.
        known: The names that there are.
        error: What to raise.

    Raises:
        UserError: Of the kind of `error`; it guesses what was meant, and lists what is known.
    """
    known = list(known)
    if name not in known:
        raise error(f"unknown {noun} {name!r}{suggestion(name, known)}")


def _weighted(text: str, noun: str, expected: str) -> Iterable[tuple[float, ast.expr]]:
    """Yields the weight and the one name or call of every term of a sum."""
    for node in operands(expression(text, noun), ast.Add, text):
        factors = operands(node, ast.Mult, text)
        calls = [f for f in factors if isinstance(f, ast.Call | ast.Name | ast.Attribute)]
        if len(calls) != 1:
            raise error_at(text, node, f"expected {expected}")
        try:
            weight = math.prod(float(number(f, text)) for f in factors if f is not calls[0])
        except OverflowError:  # a whole number beyond all floating-point ones
            weight = math.inf
        if not 0 <= weight < math.inf:
            raise error_at(text, node, f"the weight must be finite and not negative, got {weight:g}")
        yield weight, calls[0]


def _read_call(node: ast.expr, text: str, noun: str) -> Call:
    call = node if isinstance(node, ast.Call) else None
    function = call.func if call else node
    name = own_path(function) or (function.id if isinstance(function, ast.Name) else "")
    if not name:
        raise error_at(text, node, f"expected the name of a {noun}")
    options = _arguments(call, text, None, TYPED)  # read only: nothing that it names is ever looked up
    return Call(name, tuple(sorted((key, _frozen(value)) for key, value in options.items())))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _arguments(
    call: ast.Call | None, text: str, allowed: list[str] | None, trusted: Trust, files: tuple[str, ...] = ()
) -> dict[str, Any]:
    if call is None:
        return {}
    if call.args:
        raise error_at(text, call.args[0], "write the option's name too, as key=value")
    for keyword in call.keywords:
        if keyword.arg is None:
            raise error_at(text, call, "write every option as key=value")
        if allowed is not None and keyword.arg not in allowed:
            where = f"{ast.unparse(call.func)} has no option {keyword.arg!r}"
            raise error_at(text, keyword, where + suggestion(keyword.arg, allowed))
    if twice := [word for word, count in Counter(k.arg for k in call.keywords).items() if count > 1]:
        raise error_at(text, call, f"{twice[0]!r} is given twice")
    for keyword in call.keywords:
        if keyword.arg not in files:
            check_words(keyword.value, trusted)
    return {str(keyword.arg): value_of(keyword.value, text) for keyword in call.keywords}
