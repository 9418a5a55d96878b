"""Docstrings as Markdown: sections, shapes and formulas; formulas become MathML, so that no script is fetched."""

import inspect
import re
import textwrap
from typing import Any

_SECTION = re.compile(r"^(Args|Returns|Raises|Example|References|Attributes):$")


def formula(latex: str, block: bool = False) -> str:
    """Returns a formula as MathML."""
    from latex2mathml.converter import convert

    return convert(" ".join(latex.split()), display="block" if block else "inline")


def markdown(thing: Any) -> str:
    """Returns the docstring of a class, function or module as Markdown; nothing if it has none."""
    lines, made, at = (inspect.getdoc(thing) or "").splitlines(), [], 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(".. math::"):
            body = [line.removeprefix(".. math::")]
            while at + 1 < len(lines) and (not lines[at + 1].strip() or lines[at + 1].startswith(" ")):
                at += 1
                body.append(lines[at])
            made += ["", formula(" ".join(body), block=True), ""]
        elif section := _SECTION.match(line):
            inside = []
            while at + 1 < len(lines) and (not lines[at + 1].strip() or lines[at + 1].startswith(" ")):
                at += 1
                inside.append(lines[at])
            made += ["", f"**{section[1]}**", "", *_section(section[1], textwrap.dedent("\n".join(inside)).strip("\n"))]
        else:
            made.append(_inline(line))
        at += 1
    return "\n".join(made).strip()


def _section(name: str, text: str) -> list[str]:
    if name == "Example":
        return ["```pycon", *text.splitlines(), "```"]
    if name == "References":
        return [_inline(line.removeprefix("| ")) + "  " for line in text.splitlines()]
    if name in ("Args", "Raises", "Attributes"):
        items = re.split(r"\n(?=\S)", text)
        parts = (item.partition(":") for item in items)
        return [f"- `{head}`: {_inline(' '.join(rest.split()))}" for head, _, rest in parts]
    return [_inline(text)]


def _inline(text: str) -> str:
    """Returns a line with formulas, code and references as Markdown has them."""
    text = re.sub(r":math:`([^`]*)`", lambda found: formula(found[1]), text)
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    return re.sub(r"``([^`]*)``", r"`\1`", text)
