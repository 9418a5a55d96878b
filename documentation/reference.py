"""The pages of the reference, written from the code that they are about: nothing stands here that it does not say."""

import contextlib
import io
import re
from collections.abc import Callable, Iterable
from typing import Any
from unittest.mock import patch

import msgspec

from documentation.costs import Costs
from documentation.docstrings import markdown
from documentation.verbs import SUBVERBS
from pdloss import metrics, records
from pdloss.cli import VERBS, main
from pdloss.degradations import DEGRADATIONS
from pdloss.features import (
    BACKBONES,
    AlexNetFeatures,
    DistilledFeatures,
    SqueezeNetFeatures,
    SteerablePyramidFeatures,
    VGG16Features,
    VGG19Features,
    VGGFeatures,
)
from pdloss.losses import LOSSES
from pdloss.losses.table import options_of
from pdloss.metrics import METRICS, SET_METRICS
from pdloss.networks import NETWORKS
from pdloss.specs import Choice
from pdloss.study import records as study_records

_EXTRACTORS = {
    "vgg16": (VGG16Features, VGGFeatures),
    "vgg19": (VGG19Features, VGGFeatures),
    "alexnet": (AlexNetFeatures,),
    "squeezenet": (SqueezeNetFeatures,),
    "distilled": (DistilledFeatures,),
    "steerable": (SteerablePyramidFeatures,),
}
_FORMULAS = ("psnr", "psnr_y", "ssim", "ms_ssim", "lpips", "dists", "niqe", "sharpness", "grid", "blocks",
             "frechet_distance", "kernel_distance", "paired_kernel_distance", "sliced_feature_distance")  # fmt: skip
"""Functions of metrics, which say formula, shapes, range and source."""


def pages() -> dict[str, Callable[[], str]]:
    """Returns what writes each page, by its file."""
    return {
        "commands.md": _commands,
        "losses.md": lambda: _family("Losses", LOSSES.table.values(), Costs().of_loss),
        "degradations.md": lambda: _family("Degradations", DEGRADATIONS.table.values(), Costs().of_degradation),
        "networks.md": lambda: _family("Networks", NETWORKS.table.values(), Costs().of_network),
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


def _family(title: str, kinds: Iterable[type[Choice]], cost: Callable[[str], str]) -> str:
    parts = [f"# {title}\n\n{Costs().how()}\n"]
    for kind in kinds:
        where = f"`{kind.__module__}.{kind.__name__}`"
        said = [f"## {kind.name}", where, markdown(kind), f"**Cost.** {cost(kind.name)}", options_of(kind)]
        parts.append("\n\n".join(said))
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
    parts = [f"# Feature sets\n\nNamed as `backbone.layer+layer` in every loss on features.\n\n{Costs().how()}\n"]
    for name in BACKBONES:
        kinds = _EXTRACTORS[name.partition("-")[0]]
        said = "\n\n".join(markdown(kind) for kind in kinds)
        parts.append(f"## {name}\n\n{said}\n\n**Cost.** {Costs().of_features(name)}\n")
    return "\n".join(parts)


def _metrics() -> str:
    rows = [
        f"| `{name}` | {entry.record.label} | {entry.record.unit or 'none'} | {entry.record.better} | "
        f"{entry.minimum_side} | {Costs().of_metric(name)} | {entry.record.protocol} |"
        for table in (METRICS, SET_METRICS)
        for name, entry in table.items()
    ]
    head = (
        f"| in text | label | unit | better | least side | time beside `{Costs().found.beside['metrics']}` | "
        "ms for a million pixels | protocol |\n"
        "|---|---|---|---|---:|---:|---:|---|\n"
    )
    said = [f"## {name}\n\n{markdown(getattr(metrics, name))}\n" for name in _FORMULAS]
    table = f"# Metrics\n\nOf single images, then of whole sets. {Costs().how()}\n\n{head}" + "\n".join(rows)
    return "\n\n".join([table, *said])


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
