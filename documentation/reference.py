"""The pages of the reference, written from the code that they are about: nothing stands here that it does not say."""

import contextlib
import io
import re
from collections.abc import Callable, Iterable
from typing import Any
from unittest.mock import patch

import msgspec

from documentation.docstrings import markdown
from documentation.verbs import SUBVERBS
from pdloss import records
from pdloss.cli import VERBS, main
from pdloss.degradations import DEGRADATIONS
from pdloss.features import BACKBONES
from pdloss.losses import LOSSES
from pdloss.losses.table import options_of
from pdloss.metrics import METRICS, SET_METRICS
from pdloss.networks import NETWORKS
from pdloss.specs import Choice
from pdloss.study import records as study_records


def pages() -> dict[str, Callable[[], str]]:
    """Returns what writes each page, by its file."""
    return {
        "commands.md": _commands,
        "losses.md": lambda: _family("Losses", LOSSES.table.values()),
        "degradations.md": lambda: _family("Degradations", DEGRADATIONS.table.values()),
        "networks.md": lambda: _family("Networks", NETWORKS.table.values()),
        "features.md": _features,
        "metrics.md": _metrics,
        "records.md": _records,
    }


def help_of(*verbs: str) -> str:
    """Returns what a verb says with ``--help``, without colours."""
    wide = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    with (
        patch.dict("os.environ", wide),
        contextlib.redirect_stdout(io.StringIO()) as said,
        contextlib.suppress(SystemExit),
    ):
        main([*verbs, "--help"])
    return re.sub(r"\x1b\[[0-9;]*m", "", said.getvalue()).rstrip()


def _commands() -> str:
    parts = ["# Commands and their options\n"]
    for verb, what in VERBS.items():
        parts.append(f"## {verb}\n\n{what[0].upper()}{what[1:]}.\n\n```text\n{help_of(verb)}\n```\n")
        parts += [f"### {verb} {sub}\n\n```text\n{help_of(verb, sub)}\n```\n" for sub in SUBVERBS.get(verb, ())]
    return "\n".join(parts)


def _family(title: str, kinds: Iterable[type[Choice]]) -> str:
    parts = [f"# {title}\n"]
    for kind in kinds:
        parts.append(f"## {kind.name}\n\n`{kind.__module__}.{kind.__name__}`\n\n{markdown(kind)}\n\n{options_of(kind)}")
        module = getattr(kind, "module", None)
        if module is not None:
            parts += [f"### {module.__name__}\n\n{markdown(module)}\n", *_formulas(module)]
    return "\n".join(parts)


def _formulas(module: Any) -> list[str]:
    """Returns the functions of a loss's file, which hold its formula."""
    import importlib

    home = importlib.import_module(module.__module__)
    functions = [
        thing for name, thing in vars(home).items()
        if name.endswith(("_loss", "_distance", "_distortion")) and callable(thing)
        and thing.__module__ == home.__name__ and not isinstance(thing, type)
    ]  # fmt: skip
    return [f"### {each.__name__}\n\n{markdown(each)}\n" for each in functions]


def _features() -> str:
    parts = ["# Feature sets\n\nNamed as `backbone.layer+layer` in every loss on features.\n"]
    for name, build in BACKBONES.items():
        parts.append(f"## {name}\n\n{markdown(build) or 'See [features and their weights](../features.md).'}\n")
    return "\n".join(parts)


def _metrics() -> str:
    rows = [
        f"| `{name}` | {entry.record.label} | {entry.record.unit or 'none'} | {entry.record.better} | "
        f"{entry.minimum_side} | {entry.record.protocol} |"
        for table in (METRICS, SET_METRICS)
        for name, entry in table.items()
    ]
    head = "| in text | label | unit | better | least side | protocol |\n|---|---|---|---|---:|---|\n"
    return "# Metrics\n\nOf single images, then of whole sets.\n\n" + head + "\n".join(rows) + "\n"


def _records() -> str:
    parts = ["# Records\n\nWhat the files between rooms hold; an unknown key is an error on reading.\n"]
    for module in (records, study_records):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
                parts.append(f"## {name}\n\n{markdown(kind)}\n\n{_fields(kind)}")
    return "\n".join(parts)


def _fields(kind: type[msgspec.Struct]) -> str:
    rows = []
    for field in msgspec.structs.fields(kind):
        needed = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
        hint = getattr(field.type, "__name__", str(field.type)) if isinstance(field.type, type) else str(field.type)
        hint = re.sub(r"[\w.]+\.(\w+)", r"\1", hint).replace("|", "\\|")
        rows.append(f"| `{field.encode_name}` | `{hint}` | {'always' if needed else 'may be left out'} |")
    return "| key | type | |\n|---|---|---|\n" + "\n".join(rows) + "\n" if rows else ""
