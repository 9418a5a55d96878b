"""The options of a training as its run's record says them, and back."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from pdloss.files.spelling import as_path, spelled
from pdloss.records import RunRecord
from pdloss.training.configuration import TrainConfig

_FILES = ("data", "degraded", "init", "valid", "valid_degraded")
"""Options that name files and folders, whose names any bytes may make up."""
_RECORDED = [field.name for field in dataclasses.fields(TrainConfig) if field.name in RunRecord.__struct_fields__]


def recorded(options: TrainConfig) -> dict[str, Any]:
    """Returns the options that a record keeps, each under its own name, as it keeps them."""
    kept = {name: getattr(options, name) for name in _RECORDED}
    return kept | {name: spelled(kept[name]) for name in _FILES if kept[name] is not None}


def repeated(record: RunRecord) -> TrainConfig:
    """Returns the options that repeat a run, but for where it is written, which is to be named anew."""
    kept = {name: value for name, value in msgspec.to_builtins(record).items() if name in _RECORDED}
    kept |= {name: as_path(kept[name]) for name in _FILES if kept[name] is not None}
    kept |= {name: kept[name] and str(kept[name]) for name in ("data", "degraded")}  # which may be patterns
    if record.degraded:
        kept["degradation"] = None  # its text stands for pairs, and is none to give
    return TrainConfig(**kept, out=Path())
