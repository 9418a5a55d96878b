"""Several runs that restore the same inputs, scored in one go: every target is looked at once, whoever restored it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace
from torch import Tensor

from pdloss.datasets.prefetch import ahead
from pdloss.evaluation import consistency
from pdloss.evaluation.inputs import Input, Inputs, comparable
from pdloss.evaluation.pictures import Restored, Stored
from pdloss.evaluation.scoring import Measures, SetTotals
from pdloss.images import pixels_sha256, to_bytes
from pdloss.ops.color import quantize
from pdloss.records import ImageScores, Scores, SetScore
from pdloss.runs import RunFolder


@dataclass
class Task:
    """One run to be scored on one set."""

    folder: RunFolder
    inputs: Inputs
    measures: Measures
    """What is to be computed; none where all is there."""
    asked: Scores
    """The scores that are asked for, still without values."""
    before: Scores | None
    """Those that are there."""
    notes: list[str]
    pictures: Stored | None = None
    scores: Scores | None = None

    @property
    def alike(self) -> tuple[str | None, str]:
        """What runs have in common that restore the same inputs: targets and degradation."""
        return self.asked.targets_sha256, self.asked.degradation


class Known(NamedTuple):
    """What inputs are known to score: the same for every run that restores them."""

    images: dict[str, dict[str, float]]
    sets: dict[str, SetScore]


def restore(task: Task, tick: Callable[[], object]) -> None:
    """Has a run's network make its pictures and waits until they are on disk, without scoring them yet."""
    assert isinstance(task.pictures, Restored)
    for item in ahead(task.inputs.__getitem__, len(task.inputs)):
        task.pictures(item)
        tick()
    task.pictures.written()


def score(tasks: Sequence[Task], known: Known, tick: Callable[[Task], object]) -> None:
    """Scores runs that restore the same inputs; the inputs' own scores are taken from `known`, or added to it."""
    inputs, images = tasks[0].inputs, [list[ImageScores]() for _ in tasks]
    totals, of_inputs = [SetTotals(task.measures) for task in tasks], SetTotals(_unknown_sets(tasks, known))
    for item in ahead(inputs.__getitem__, len(inputs)):
        the_input = _InputScores(tasks[0], item, known, of_inputs)
        for task, total, listed in zip(tasks, totals, images, strict=True):
            assert task.pictures is not None
            restored = task.pictures(item)
            here = _with_consistency(task.measures, item, the_input.degraded)
            values = here.scores(item.name, restored, the_input.target)
            total.add(restored, the_input.target)
            listed.append(the_input.beside(values, here))
            tick(task)
    known.sets.update(of_inputs.scores())
    for task, total, listed in zip(tasks, totals, images, strict=True):
        assert task.pictures is not None
        task.scores = replace(
            task.asked,
            images=[replace(one, restored_sha256=task.pictures.sha256(one.name)) for one in listed],
            sets=total.scores(),
            degraded_sets={name: known.sets[name] for name in task.measures.whole},
        )


def _unknown_sets(tasks: Sequence[Task], known: Known) -> Measures:
    whole = {name: factory for task in tasks for name, factory in task.measures.whole.items()}
    return Measures({}, {name: factory for name, factory in whole.items() if name not in known.sets}, {})


@dataclass
class _InputScores:
    """One input: what it is as a picture, and what that scores, as far as it is asked for."""

    task: Task
    item: Input
    known: Known
    of_inputs: SetTotals
    target: Tensor = field(init=False)
    degraded: Tensor = field(init=False)

    def __post_init__(self) -> None:
        assert self.task.pictures is not None
        device = self.task.pictures.device
        self.target, raw = self.item.target[None].to(device), self.item.degraded[None].to(device)
        self.degraded = quantize(raw)
        inputs = self.task.inputs
        self._picture = partial(comparable, raw, self.target, inputs.chain, inputs.demosaic)
        self._simple: Tensor | None = None
        if self.of_inputs.measures:
            self.of_inputs.add(self._plain(), self.target)

    def beside(self, values: dict[str, float], measures: Measures) -> ImageScores:
        """Returns a run's scores of its picture with those of the input."""
        of_input = self.known.images.setdefault(self.item.name, {})
        unknown = measures.only(values.keys() - of_input.keys())
        if unknown.single:
            of_input |= unknown.scores(self.item.name, self._plain(), self.target)
        return ImageScores(
            name=self.item.name,
            restored=values,
            degraded={name: of_input[name] for name in values},
            target_sha256=pixels_sha256(to_bytes(self.item.target)),
        )

    def _plain(self) -> Tensor:
        if self._simple is None:
            self._simple = quantize(self._picture())
        return self._simple


def _with_consistency(measures: Measures, item: Input, degraded: Tensor) -> Measures:
    """Returns the metrics and, of the consistency scores that were asked for, those of this very input."""
    found = consistency.measures(item.drawn)
    asked = {name: measure for name, measure in found.items() if name in measures.records}
    return measures.also({name: partial(_against, measure, degraded) for name, measure in asked.items()}, {})


def _against(measure: consistency.Measure, degraded: Tensor, restored: Tensor, _: Tensor) -> Tensor:
    return measure(restored, degraded)
