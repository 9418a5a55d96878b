"""The text of a choice as Python's syntax tree: read, never evaluated, and bounded before anything is done with it."""

import ast
import re

from pdloss.errors import SpecError
from pdloss.limits import SPEC_DEPTH, SPEC_LETTERS, SPEC_TERMS
from pdloss.specs.trust import Trust

# What Python's grammar lacks, replaced before parsing: the colon of package.module:Name by an attribute whose name is
# ours, and the dots of a range by an operator that binds less than arithmetic and more than |. The first group, quoted
# strings, also without an end, is left alone. Nothing is matched from the middle of a word: the time grows with the
# length alone.
_OURS = re.compile(
    r"('(?:[^'\\]|\\[\s\S])*+(?:'|\\?\Z)|\"(?:[^\"\\]|\\[\s\S])*+(?:\"|\\?\Z))|(?<![\w.])([A-Za-z_][\w.]*+):([A-Za-z_]\w*+)|(\.{2,}|>>)"
)
_DOTS = " >> "
_COLON = "_colon_"
_DOTTED = re.compile(r"[\w.]+")


def expression(text: str, noun: str) -> ast.expr:
    """Returns the tree of a text, at most `SPEC_LETTERS` long and `SPEC_DEPTH` deep.

    Raises:
        SpecError: If it is longer or deeper, or cannot be read.
    """
    if len(text) > SPEC_LETTERS:
        raise SpecError(
            f"cannot read the {noun} {shown(text)}: it has {len(text):,} letters, and at most {SPEC_LETTERS:,} are read"
        )
    if wrong := next((m for m in _OURS.finditer(text) if m[4] and m[4] != ".."), None):
        raise SpecError(f"in {shown(text)}, at {shown(wrong[4])}: a range is written with two dots, such as 0..0.5")
    try:
        tree = ast.parse(_readable(text).strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"cannot read the {noun} {shown(text)}: {_hint(text) or error.msg}") from None
    except (ValueError, RecursionError, MemoryError):  # what ast raises at lone surrogates and at endless nesting
        raise SpecError(f"cannot read the {noun} {shown(text)}: it is nested too deeply, or not text") from None
    if _deeper_than(tree, SPEC_DEPTH):
        raise SpecError(f"cannot read the {noun} {shown(text)}: it is nested more than {SPEC_DEPTH} deep")
    # Who writes our stand-in for the colon, in whatever alphabet Python takes for the same, is not understood.
    colons = sum(isinstance(node, ast.Attribute) and node.attr == _COLON for node in ast.walk(tree))
    if colons != sum(bool(match[2]) for match in _OURS.finditer(text)):
        raise SpecError(f"cannot read the {noun} {shown(text)}: {_COLON} is not a name")
    return tree


def operands(tree: ast.expr, kind: type[ast.operator], text: str) -> list[ast.expr]:
    """Returns what an operator joins, from left to right.

    Raises:
        SpecError: If that is more than `SPEC_TERMS` parts.
    """
    waiting, found = [tree], []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, kind):
            waiting += [node.right, node.left]
        else:
            found.append(node)
    if len(found) > SPEC_TERMS:
        raise SpecError(f"{shown(text)} joins {len(found)} parts, and at most {SPEC_TERMS} are read")
    return found


def own_path(function: ast.expr) -> str:
    """Returns ``package.module:Name`` where the text has one; else an empty text."""
    module, colon, name = ast.unparse(function).rpartition(f".{_COLON}.")
    return f"{module}:{name}" if colon and _DOTTED.fullmatch(module) else ""


def check_words(node: ast.expr, trusted: Trust) -> None:
    """Refuses quoted words that name code which the text may not name: features and critics are named in such.

    Raises:
        SpecError: As `Trust.check`.
    """
    words = [] if trusted.typed else [part for part in ast.walk(node) if isinstance(part, ast.Constant)]
    for part in words:
        if not isinstance(part.value, str):
            continue
        for match in _OURS.finditer(part.value):
            if match[2]:
                trusted.check(f"{match[2]}:{match[3]}")
        try:  # a word may hold words
            inside = expression(part.value, "word")
        except SpecError:  # then nobody can read it as a choice
            continue
        check_words(inside, trusted)


def error_at(text: str, node: ast.AST, problem: str) -> SpecError:
    """Returns the error that quotes the offending word."""
    word = ast.unparse(node).replace(_DOTS, "..").replace(f".{_COLON}.", ":")
    return SpecError(f"in {shown(text)}, at {shown(word)}: {problem}")


def shown(text: str) -> str:
    """Returns the text quoted, and cut where it would fill the terminal.

    Example:
        >>> shown("l1 + l2"), len(shown("-" * 1000))
        ("'l1 + l2'", 303)
    """
    return repr(text) if len(text) <= 300 else f"{text[:300]!r}…"


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


def _readable(text: str) -> str:
    return _OURS.sub(lambda m: m[1] or (_DOTS if m[4] else f"{m[2]}.{_COLON}.{m[3]}"), text)


def _deeper_than(tree: ast.AST, most: int) -> bool:
    """Whether anything lies deeper in the tree; without recursion, which the tree itself may be too deep for."""
    level: list[ast.AST] = [tree]
    for _ in range(most):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True
