"""What a run is bound to: its choices and the content of its photographs; not where they lie."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pdloss.records import RunRecord, TrainedOn

PLACES = ("data", "degraded", "valid", "valid_degraded", "device")
"""Where a run reads and computes: what its record takes over from whoever goes on with it."""

# What may differ when a run goes on: it does not change the result, or has a rule of its own below.
_FREE = {*PLACES, "parameters", "images", "created", "commit", "versions", "machine"}
_BY_CONTENT = {"init", "init_sha256", "data_fingerprint"}

CONTENTS = "contents:"
"""How the fingerprint of names and contents begins; that of version 0.1.0, of names and sizes, has no such word."""


def other_choices(before: RunRecord, now: RunRecord) -> list[str]:
    """Returns in words each choice that differs, other than the photographs."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(now)
    named = [key for key in old if key not in _FREE | _BY_CONTENT and old[key] != new[key]]
    differences = [f"{key} was {old[key]!r}, is {new[key]!r}" for key in named]
    return [*differences, *([f"init was {before.init!r}, is {now.init!r}"] if _other_init(before, now) else [])]


def other_photographs(before: RunRecord, known: TrainedOn, now: RunRecord, found: TrainedOn, by_size: str) -> str:
    """Returns in words how the photographs differ from those trained on; nothing if they do not.

    Args:
        before: The run's record.
        known: What it was trained on.
        now: The record that it would have now.
        found: What it would be trained on now.
        by_size: Fingerprint of these as version 0.1.0 made it, which is all that its runs can be compared by.
    """
    if before.data_fingerprint in (now.data_fingerprint, by_size):
        return ""
    where = f"the photographs in {now.data} are not those that it was trained on"
    if known.contents:
        return f"{where}: {changes(known.contents, found.contents)}"
    if known.images:
        return f"{where}: {changes(dict.fromkeys(known.images, ''), dict.fromkeys(found.images, ''))}"
    return where


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Returns which names came, went, or have another value: how many of each, and the first few.

    Example:
        >>> changes({"a": "1", "b": "2", "c": "3"}, {"b": "9", "c": "3", "d": "4"})
        '1 added (d), 1 removed (a), 1 changed (b)'
    """
    kinds = {
        "added": sorted(now.keys() - before.keys()),
        "removed": sorted(before.keys() - now.keys()),
        "changed": sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
    }
    said = [
        f"{len(names)} {kind} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in kinds.items()
        if names
    ]
    return ", ".join(said) or "the same names, of another size"


def worth_saying(before: RunRecord, now: RunRecord) -> list[str]:
    """Returns what is to be said when a run goes on: what could not be compared, and why bits may differ."""
    notes = []
    if not before.data_fingerprint.startswith(CONTENTS):
        notes.append(
            "version 0.1.0 began this run and knew its photographs by name and size only: whether their content is "
            "still the same could not be compared"
        )
    old, new = ({**r.versions, **r.machine, "device": r.device.partition(":")[0]} for r in (before, now))
    kinds = ("torch", "pillow", "jpeg", "pdloss", "device", "gpu", "cpu", "threads", "processes")
    changed = [f"{kind} {new[kind]} (was {old[kind]})" for kind in kinds if kind in old.keys() & new.keys()
               and old[kind] != new[kind]]  # fmt: skip
    if changed:
        notes.append(f"goes on with {', '.join(changed)}: bits may differ from an uninterrupted run")
    return notes


def _other_init(before: RunRecord, now: RunRecord) -> bool:
    """Whether other first weights are asked for than it began with; those that are gone are needed no more."""
    if now.init is None or now.init_sha256 is None:
        return False
    if before.init is None:
        return True
    known = before.init_sha256
    same_place = Path(before.init).resolve() == Path(now.init).resolve()
    return not same_place and known is not None and known != now.init_sha256
