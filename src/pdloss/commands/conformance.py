"""``pdloss conformance``: does a loss on feature maps do what its kind must?"""

import importlib
import inspect
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from pdloss.conformance.kinds import Kind
from pdloss.errors import SpecError
from pdloss.files import output, write_text
from pdloss.files.options import OverwriteOptions
from pdloss.limits import check_seed
from pdloss.tables import terminal

if TYPE_CHECKING:
    from pdloss.conformance import FeatureMapLoss

MOST_CHANNELS = 4096


@dataclass(frozen=True)
class ConformanceOptions(OverwriteOptions):
    """Checks losses on feature maps, yours or anybody's: (restored, target), both (B, C, H, W), to a scalar or (B,)."""

    losses: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PACKAGE.MODULE:CALLABLE")]
    """Functions, or classes to be called without arguments; looked for in the working folder too."""
    kind: Kind = "distribution"
    """What the losses compare: which values occur, or what stands in each place."""
    seed: int = 0
    """Chooses the maps, and what a loss draws."""
    scale: float = 1.0
    """What a distribution loss multiplies the 1-D transport cost by."""
    channels: int = 6
    """Channels of the maps, for losses built for a certain number."""
    markdown: Path | None = None
    """File to write the tables to as well."""


def main(argv: list[str]) -> int:
    """Checks, prints one table for each loss, and returns 0 if all conform, else 1.

    Raises:
        SpecError: If a loss cannot be found or built, or an option has no meaning.
    """
    options = tyro.cli(ConformanceOptions, args=argv, prog="pdloss conformance")
    if options.channels > MOST_CHANNELS:
        raise SpecError(f"--channels {options.channels} are more than {MOST_CHANNELS}, the most that are checked")
    if not options.losses:
        raise SpecError("no loss is named; write it as package.module:callable")
    check_seed(options.seed)
    with output(options.markdown, overwrite=options.overwrite, option="--markdown"):
        return _checked(options, shlex.join(argv))


def _checked(options: ConformanceOptions, typed: str) -> int:
    from pdloss.conformance import CHECKS, conformance
    from pdloss.conformance.tables import page, summary, table

    losses = {name: named(name) for name in options.losses}
    try:
        results = {
            name: conformance(loss, options.kind, options.seed, options.scale, options.channels)
            for name, loss in losses.items()
        }
    except ValueError as error:
        raise SpecError(str(error)) from error
    for name, verdicts in results.items():
        terminal.show([table(name, verdicts)])
        terminal.say([summary(verdicts)])
    if options.markdown:
        write_text(options.markdown, page(f"pdloss conformance {typed}", CHECKS[options.kind], results))
    return int(any(verdict.passed is False for verdicts in results.values() for verdict in verdicts))


def named(path: str) -> "FeatureMapLoss":
    """Returns the callable that ``package.module:name`` names; of a class, an object made without arguments.

    Raises:
        SpecError: If the text is no such name, the module cannot be imported, or there is nothing to call.
    """
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", path):
        raise SpecError(f"expected package.module:callable, such as pdloss.losses:perceptual_loss, got {path!r}")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    module, _, name = path.partition(":")
    try:
        loss: Any = getattr(importlib.import_module(module), name)
        loss = loss() if isinstance(loss, type) else loss
    except Exception as error:  # whatever the user's file does while it is read
        raise SpecError(f"{path}: {type(error).__name__}: {error}") from error
    if callable(loss) and not takes_two(loss):
        raise SpecError(f"{path} does not take two tensors, (restored, target): it is no loss on feature maps")
    if not callable(loss):
        raise SpecError(f"{path} is a {type(loss).__name__}, which cannot be called as a loss (restored, target)")
    return loss  # type: ignore[no-any-return]


def takes_two(function: Callable[..., object]) -> bool:
    """Returns whether a callable takes two arguments by position, as far as Python can tell."""
    try:
        inspect.signature(function).bind(0, 1)
    except (TypeError, ValueError):  # ValueError: written in C, and not saying
        return False
    return True
