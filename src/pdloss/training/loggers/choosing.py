"""Loggers by their names, told beside whoever trains."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from pdloss.errors import MissingExtraError
from pdloss.training.loggers import LOGGERS
from pdloss.training.watching import Together, Watcher


def with_loggers(watcher: Watcher, names: Sequence[str], out: Path) -> Watcher:
    """Returns a watcher that tells `watcher`, and the named loggers beside it.

    Args:
        watcher: Whoever trains.
        names: As `pdloss.training.loggers.names_of` gives them.
        out: The run folder.

    Raises:
        MissingExtraError: If a logger's package is not installed.
    """
    return Together(watcher, [_logger(name, out) for name in names])


def _logger(name: str, out: Path) -> Watcher:
    module, _, kind = LOGGERS[name].partition(":")
    try:
        logger: Watcher = getattr(importlib.import_module(module), kind)(out)
    except ImportError:
        raise MissingExtraError(name, name) from None
    return logger
