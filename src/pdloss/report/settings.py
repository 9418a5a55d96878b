"""What the runs are: the options in which they differ, those that they share, and what each cost."""

from dataclasses import dataclass, replace

import msgspec

from pdloss.records import RunRecord
from pdloss.report.sources import Comparison, ScoredRun
from pdloss.tables.numerals import DASH, UNKNOWN

_ASIDE = {"parameters", "data_fingerprint", "init_sha256", "weights", "versions", "machine"}
_ASIDE |= {"commit", "created", "images"}
"""What is told elsewhere, or is no choice."""


@dataclass(frozen=True)
class Cost:
    """What one training took; what is not known of it is None."""

    parameters: int | None
    steps: int | None
    seconds: float | None
    """None without a log."""
    rate: float | None
    """Steps a second."""
    relative: float | None
    """The rate over that of the first run."""
    waiting: float | None
    """Share of the time spent waiting for data, where the log tells it."""
    device: str | None
    precision: str | None

    @property
    def duration(self) -> str:
        """The seconds in words."""
        return "" if self.seconds is None else duration(self.seconds)


def differing(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Returns the options that are not the same in all runs, with each run's value."""
    return [(name, values) for name, values in _options(comparison).items() if len(set(values)) > 1]


def shared(comparison: Comparison) -> list[tuple[str, str]]:
    """Returns the options that are the same in all runs."""
    return [(name, values[0]) for name, values in _options(comparison).items() if len(set(values)) == 1]


def costs(comparison: Comparison) -> list[Cost]:
    """Returns what each training took."""
    found = [_cost(run) for run in comparison.runs]
    first = found[0].rate
    return [cost if first is None or cost.rate is None else replace(cost, relative=cost.rate / first) for cost in found]


def duration(seconds: float) -> str:
    """Returns a time in words.

    Example:
        >>> duration(42.4), duration(125.0), duration(7260.0)
        ('42 s', '2 min 5 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def _options(comparison: Comparison) -> dict[str, list[str]]:
    records = [_known(run) for run in comparison.runs]
    names = [name for name in RunRecord.__struct_fields__ if name not in _ASIDE]
    return {
        name.replace("_", " "): [_text(record[name]) if name in record else UNKNOWN for record in records]
        for name in names
    }


def _known(run: ScoredRun) -> dict[str, object]:
    """Returns the options of a training, or what was said of it."""
    if run.record is not None:
        return dict(msgspec.to_builtins(run.record))
    method = run.scores.method
    said = {"loss": run.loss, "degradation": method.degradation if method else None}
    return {name: text for name, text in said.items() if text is not None}


def _text(value: object) -> str:
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _cost(run: ScoredRun) -> Cost:
    last = run.log[-1] if run.log else None
    seconds = None if last is None else last.seconds
    rate = None if last is None or last.seconds <= 0 else last.step / last.seconds
    waits = [line.waiting for line in run.log]
    waiting = sum(waits) / len(waits) if any(waits) else None
    record = run.record
    if record is None:
        return Cost(None, None, None, None, None, None, None, None)
    return Cost(record.parameters, record.steps, seconds, rate, None, waiting, record.device, record.precision)
