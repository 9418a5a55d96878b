"""Pictures × metrics → scores: which of the metrics asked for can be had, and the values of a picture or a set."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from pdloss.errors import AssetError, ImageError, SpecError
from pdloss.metrics import CEILING, METRICS, Entry, Score, own_niqe
from pdloss.metrics.sets import SET_METRICS, SetEntry, SetMeasure
from pdloss.records import Metric, SetScore
from pdloss.specs import check_known

T = TypeVar("T")


@dataclass(frozen=True)
class Measures:
    """Metrics that are ready for use, and how each is to be read."""

    single: Mapping[str, Score]
    """Those that have a value for every picture."""
    whole: Mapping[str, Callable[[], SetMeasure]]
    """Those of whole sets."""
    records: Mapping[str, Metric]

    def only(self, names: Collection[str]) -> "Measures":
        """Returns those that are among `names`."""
        single = {name: measure for name, measure in self.single.items() if name in names}
        whole = {name: factory for name, factory in self.whole.items() if name in names}
        return Measures(single, whole, {name: record for name, record in self.records.items() if name in names})

    def also(self, single: Mapping[str, Score], records: Mapping[str, Metric]) -> "Measures":
        """Returns these and others."""
        return Measures({**self.single, **single}, self.whole, {**self.records, **records})

    def fitting(self, side: int, count: int) -> tuple["Measures", list[str]]:
        """Returns those that take `count` images of `side` pixels a side, and of each of the others why not."""
        small = {name: least for name in self.records if (least := _entry(name).minimum_side) > side}
        notes = [left_out(name, least, side) for name, least in small.items()]
        lone = [name for name in self.whole if count < 2 and name not in small]
        notes += [f"{name} left out: it compares sets, and there is only one image" for name in lone]
        return self.only(self.records.keys() - {*small, *lone}), notes

    @torch.no_grad()
    def scores(self, picture: str, restored: Tensor, target: Tensor) -> dict[str, float]:
        """Returns the score of one picture by each metric that has one.

        Args:
            picture: What to call it in an error.
            restored: RGB in [0, 1], rounded to 8 bits, :math:`(1, 3, H, W)`.
            target: Of the same shape.

        Raises:
            ImageError: If a metric has no value for the picture, or one that is not a number.
        """
        return {name: _score(name, measure, picture, restored, target) for name, measure in self.single.items()}


class SetTotals:
    """What the metrics of whole sets have seen so far.

    Args:
        measures: The metrics.
    """

    def __init__(self, measures: Measures) -> None:
        self.measures = {name: factory() for name, factory in measures.whole.items()}

    @torch.no_grad()
    def add(self, restored: Tensor, target: Tensor) -> None:
        """Takes in one picture, as a batch of one."""
        for measure in self.measures.values():
            measure.update(restored, target)

    def scores(self) -> dict[str, SetScore]:
        """Returns the scores of all that was taken in."""
        return {name: measure.compute() for name, measure in self.measures.items()}


def ready(names: Sequence[str], device: torch.device, niqe_model: Path | None = None) -> tuple[Measures, list[str]]:
    """Returns the metrics named, on a device; those whose weights are not at hand are left out, with the reason.

    Args:
        names: Found right by `check_names`.
        device: Where the images will be.
        niqe_model: File with a model of one's own for `niqe`.

    Raises:
        SpecError: If there is such a model, and `niqe` is not named.
        AssetError: If it cannot be read, or is none.
    """
    if niqe_model and "niqe" not in names:
        raise SpecError(f"the model {niqe_model} is for niqe, which is not among the metrics {', '.join(names)}")
    entries = {**METRICS, **({"niqe": own_niqe(niqe_model)} if niqe_model else {})}
    single: dict[str, Score] = {}
    whole: dict[str, Callable[[], SetMeasure]] = {}
    records: dict[str, Metric] = {}
    notes = []
    probes: list[Any] = []  # kept until the end: measures of sets share the networks of those that are alive
    for name in dict.fromkeys(names):
        try:
            probes.append(_on(device, entries[name].factory()) if name in entries else _made(name, device))
        except AssetError as error:
            if name == "niqe" and niqe_model:
                raise
            notes.append(f"{name} left out: {error}")
            continue
        if name in entries:
            single[name] = probes[-1]
        else:
            whole[name] = partial(_made, name, device)
        record = (entries[name] if name in entries else SET_METRICS[name]).record
        records[name] = msgspec.structs.replace(record, weights=dict(getattr(probes[-1], "origin", {})))
    return Measures(single, whole, records), notes


def check_names(names: Sequence[str], others: Collection[str] = ()) -> None:
    """Refuses a name that is neither a metric's nor one of `others`, and an empty list.

    Raises:
        SpecError: If there is one; the message guesses what was meant.
    """
    known = [*METRICS, *SET_METRICS, *others]
    if not names:
        raise SpecError(f"name at least one metric: {', '.join(known)}")
    for name in names:
        check_known("metric", name, known)


def refuse_nothing(measures: Measures, notes: Sequence[str]) -> None:
    """Refuses to go on where no metric is left.

    Raises:
        ImageError: If there is none; the message says of each why.
    """
    if not measures.records:
        raise ImageError(f"none of the metrics can be had: {'; '.join(notes)}")


def left_out(name: str, least: int, side: int) -> str:
    """Returns why a metric is left out that needs larger images."""
    return f"{name} left out: it needs {least} pixels a side, the smallest image has {side}"


def finite(score: Tensor) -> float:
    """Returns the one value of a batch of one; infinity, which no mean survives, as `metrics.CEILING`."""
    return min(score.item(), CEILING)


def _score(name: str, measure: Score, picture: str, restored: Tensor, target: Tensor) -> float:
    try:
        value, why = finite(measure(restored, target)), "it is not a number"
    except ValueError as error:
        value, why = math.nan, str(error)
    if math.isnan(value):
        raise ImageError(f"{name} has no value for {picture}: {why}; leave the metric or the picture out")
    return value


def _entry(name: str) -> Entry | SetEntry:
    return METRICS[name] if name in METRICS else SET_METRICS[name]


def _made(name: str, device: torch.device) -> SetMeasure:
    return _on(device, SET_METRICS[name].factory())


def _on(device: torch.device, measure: T) -> T:
    return measure.to(device) if isinstance(measure, nn.Module) else measure
