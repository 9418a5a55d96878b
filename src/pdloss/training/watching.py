"""Whom a training tells how it goes."""

from pdloss.losses import LossTerms
from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.data import TrainingPhotographs


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
