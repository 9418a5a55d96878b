"""The option of all commands that write files."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OverwriteOptions:
    """What may be replaced."""

    overwrite: bool = False
    """Replace files that stand there already and were not written by pdloss."""
