"""A plan as options: the axes have options of their own, all others are those of ``pdloss train``."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdloss.errors import SpecError
from pdloss.sweeps.plan import PLACE, Plan, plan_from
from pdloss.training.configuration import TrainConfig


@dataclass(frozen=True, kw_only=True)
class AxisOptions:
    """What a plan says beside the base; all other options are those of `pdloss train`, the same for every run."""

    out: Path | None = None
    """Folder of the runs."""
    losses: tuple[str, ...] = ()
    """Losses, with {weight} where a weight goes, such as "l1" "l1 + {weight}*pdl"."""
    weights: tuple[str, ...] = ()
    """For every loss with such a place: numbers, or "log 0.0003..0.01 x5"."""
    shares: tuple[float, ...] = ()
    """Shares of the pull instead of weights, calibrated once on the common start."""
    seeds: tuple[int, ...] = ()
    """Of every run."""
    tasks: tuple[str, ...] = ()
    """Each with a start of its own."""
    networks: tuple[str, ...] = ()
    """Each with a start of its own."""
    start: tuple[str, ...] = ()
    """What the common start has otherwise than the runs, such as steps=4000 lr=5e-4; its loss is l1 unless said."""
    evaluate: tuple[str, ...] = ()
    """Folders of other photographs to score on."""
    metrics: str | None = None
    """As in `pdloss evaluate`."""


def split(argv: Sequence[str], known: Collection[str]) -> tuple[list[str], dict[str, Any]]:
    """Returns the words of the options known by name, and what the others say: a text, several, or a switch.

    Example:
        >>> split(["plan.toml", "--jobs", "2", "--batch=8", "--no-compile"], ["jobs"])
        (['plan.toml', '--jobs', '2'], {'batch': '8', 'compile': False})
    """
    own: list[str] = []
    others: dict[str, list[str]] = {}
    values = own
    for word in argv:
        if not word.startswith("--"):
            values.append(word)
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if name in known or name.removeprefix("no_") in known or name == "help":
            own.append(word)
            values = own
            continue
        if name in others:
            raise SpecError(f"--{name.replace('_', '-')} is given twice")
        values = others.setdefault(name, [value] if equals else [])
    return own, dict(_said(name, listed) for name, listed in others.items())


def _said(name: str, values: Sequence[str]) -> tuple[str, Any]:
    if values:
        return name, values[0] if len(values) == 1 else list(values)
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    positive = name.removeprefix("no_")
    return (name, True) if name in fields or positive not in fields else (positive, False)


def typed_plan(options: AxisOptions, base: dict[str, Any]) -> Plan:
    """Returns the plan that options say, checked as one in a file.

    Args:
        options: The axes.
        base: Options of ``pdloss train``, as `split` returns them.

    Raises:
        SpecError: If something lacks, is unknown or makes no sense.
    """
    if options.out is None:
        raise SpecError("a sweep without a plan needs --out FOLDER, where its runs are kept")
    if "loss" in base or "seed" in base:
        raise SpecError(f"write --{'losses' if 'loss' in base else 'seeds'}, with one or more values")
    named = {"seed": options.seeds, "task": options.tasks, "network": options.networks}
    values: dict[str, Any] = {
        "out": str(options.out),
        "train": base,
        "losses": [_block(loss, options) for loss in options.losses],
        "axes": {name: list(listed) for name, listed in named.items() if listed},
    }
    if options.start:
        values["start"] = dict(_pair(word) for word in options.start)
    if options.evaluate:
        metrics = {} if options.metrics is None else {"metrics": options.metrics}
        values["evaluate"] = {"data": list(options.evaluate), **metrics}
    return plan_from(values)


def _block(loss: str, options: AxisOptions) -> dict[str, Any]:
    block: dict[str, Any] = {"loss": loss}
    if PLACE in loss:
        if options.weights:
            block["weight"] = _weights(options.weights)
        if options.shares:
            block["share"] = list(options.shares)
    elif len(options.losses) == 1 and (options.weights or options.shares):
        raise SpecError(f"the loss {loss!r} has no {PLACE} for --weights to stand in")
    return block


def _weights(words: Sequence[str]) -> str | list[float]:
    if len(words) == 1 and words[0].startswith("log"):
        return words[0]
    try:
        return [float(word) for word in words]
    except ValueError:
        raise SpecError(f'--weights {" ".join(words)}: numbers, or "log LOW..HIGH xN" in quotes') from None


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not value:
        raise SpecError(f"--start {word}: write NAME=VALUE, such as steps=4000")
    return name.replace("-", "_"), value
