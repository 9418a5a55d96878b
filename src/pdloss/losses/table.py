"""The table of all losses, written from their choices: ``python -m pdloss.losses.table > docs/losses.md``."""

import dataclasses
import sys
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta

from pdloss.losses import LOSSES
from pdloss.specs import Choice

_HEAD = """# The losses

A loss has a name in text, such as `"l1 + 0.05*multilayer_pdl + 0.5*phase"`, which `pdloss.objective` reads;
a choice that writes that text, such as `pdloss.PDL`; and a module that measures two batches of RGB images in [0, 1].
This page is written by `python -m pdloss.losses.table > docs/losses.md`.

All take `(restored, target)` and keep their promises ([one test for all](../tests/losses/test_contracts.py)): finite
at equality and in half precision, the mean of single images, gradients to `restored` only, nothing kept. Each is
written from its formula; the source stands in its docstring. Your own is `package.module:Name(key=value)`. A weight
means something only together with its [features](features.md#weights-of-losses-belong-to-their-features).

| in text | choice | module | what it measures |
|---|---|---|---|
"""


def page() -> str:
    """Returns the table of all losses, and the options of each, in Markdown."""
    rows = [
        f"| [`{name}`](#{name}) | `{kind.__name__}` | `{_module(kind)}` | {_said(kind)} |"
        for name, kind in LOSSES.table.items()
    ]
    parts = [f"\n## {name}\n\n{options_of(kind)}" for name, kind in LOSSES.table.items()]
    return _HEAD + "\n".join(rows) + "\n" + "".join(parts)


def _module(kind: Any) -> str:
    name: str = kind.module.__name__
    return name


def _said(kind: type[Choice]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def options_of(kind: type[Choice]) -> str:
    """Returns a table of a choice's options: default and range of each."""
    fields, hints = dataclasses.fields(kind), get_type_hints(kind, include_extras=True)
    if not fields:
        return "No options.\n"
    rows = [f"| `{f.name}` | `{f.default!r}` | {_allowed(hints[f.name])} |\n" for f in fields]
    return "| option | default | values |\n|---|---|---|\n" + "".join(rows)


def _allowed(hint: Any) -> str:
    """Returns the values that an annotation allows, in words.

    Example:
        >>> _allowed(Annotated[float, Meta(ge=0, le=1)]), _allowed(Literal[1, 2])
        ('a number, at least 0, at most 1', '`1`, `2`')
    """
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value!r}`" for value in get_args(hint))
    if get_origin(hint) is Annotated:
        kind, *limits = get_args(hint)
        words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
        said = [
            f"{word} {getattr(limit, key)}"
            for limit in limits
            if isinstance(limit, Meta)
            for key, word in words.items()
            if getattr(limit, key) is not None
        ]
        return ", ".join([_allowed(kind), *said])
    if arms := [arm for arm in get_args(hint) if get_origin(hint) is not tuple]:
        return " or ".join(_allowed(arm) for arm in arms)
    if get_origin(hint) is tuple:
        return "numbers in brackets"
    plain: dict[Any, str] = {
        str: "text",
        float: "a number",
        int: "a whole number",
        bool: "True or False",
        type(None): "None",
    }
    return plain.get(hint, str(hint))


if __name__ == "__main__":
    sys.stdout.write(page())
