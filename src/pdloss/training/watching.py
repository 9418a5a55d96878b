"""Whom a training tells how it goes."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from pdloss.losses import LossTerms
from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.data import TrainingPhotographs


class Picture(NamedTuple):
    """A photograph of the validation as it came out: images on the CPU, (C, H, W), RGB but for mosaics."""

    name: str
    degraded: Tensor
    restored: Tensor
    target: Tensor


class Watcher:
    """What a training tells whoever watches it; this one keeps silent."""

    def loading(self, done: int, total: int) -> None:
        """Is told of every image read."""

    def warn(self, text: str) -> None:
        """Is told of what may make the results wrong."""

    def note(self, text: str) -> None:
        """Is told of what is worth knowing, before the first step."""

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Is told once, before the first step; also why the photographs are degraded as they are."""

    def step(self, step: int, terms: LossTerms) -> None:
        """Is told after every step."""

    def log(self, line: LogLine) -> None:
        """Is told of every line of the log."""

    def pictures(self, step: int, pictures: Sequence[Picture]) -> None:
        """Is shown some photographs of the validation at every checkpoint, if there is a validation."""

    def end(self, failed: bool) -> None:
        """Is told last, when a training that started has come to its end, was stopped, or failed."""


class Together(Watcher):
    """Several watchers as one.

    The first is whoever trains. The others keep a second log: the start fails with them, as what was asked for cannot
    be had; but from the first step on one that fails, such as for a network that is down, is said and told no more,
    since a training of days is worth more than its picture somewhere else.
    """

    def __init__(self, first: Watcher, others: Sequence[Watcher]) -> None:
        self.first, self.others, self._started = first, list(others), False

    def loading(self, done: int, total: int) -> None:
        """Passes it on."""
        self.first.loading(done, total)

    def warn(self, text: str) -> None:
        """Passes it on."""
        self.first.warn(text)

    def note(self, text: str) -> None:
        """Passes it on."""
        self.first.note(text)

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Passes it on.

        Raises:
            UserError: If one of the others cannot begin.
        """
        self._started = True
        for other in self.others:
            other.start(record, state, photographs, why)
        self.first.start(record, state, photographs, why)

    def step(self, step: int, terms: LossTerms) -> None:
        """Passes it on."""
        self.first.step(step, terms)
        self._tell_others(lambda other: other.step(step, terms))

    def log(self, line: LogLine) -> None:
        """Passes it on."""
        self.first.log(line)
        self._tell_others(lambda other: other.log(line))

    def pictures(self, step: int, pictures: Sequence[Picture]) -> None:
        """Passes it on."""
        self.first.pictures(step, pictures)
        self._tell_others(lambda other: other.pictures(step, pictures))

    def end(self, failed: bool) -> None:
        """Passes it on, if there was a start."""
        if self._started:
            self.first.end(failed)
            self._tell_others(lambda other: other.end(failed))

    def _tell_others(self, tell: Callable[[Watcher], None]) -> None:
        for other in list(self.others):
            try:
                tell(other)
            except Exception as error:
                self.others.remove(other)
                self.first.warn(f"nothing more is logged to {type(other).__name__}: {type(error).__name__}: {error}")


@contextlib.contextmanager
def told_of_the_end(watcher: Watcher) -> Iterator[None]:
    """Tells the watcher when what is done within has ended, and whether it failed."""
    try:
        yield
    except BaseException:
        watcher.end(failed=True)
        raise
    watcher.end(failed=False)
