"""The log for trackio, in its own folder on this machine, or in the space that its settings name."""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.data import TrainingPhotographs
from pdloss.training.loggers.contents import PROJECT, identity, numbers, panel
from pdloss.training.watching import Picture, Watcher


class Trackio(Watcher):
    """Logs to trackio, as its environment variables say; by default into its folder on this machine."""

    def __init__(self, out: Path) -> None:
        import trackio

        self.out, self._trackio = out, trackio

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Begins the run there, or goes on with it."""
        name = f"{self.out.name}-{identity(record)[:6]}"  # two runs of one name are two runs
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for what `pdloss train` answers
            self._run = self._trackio.init(
                project=os.environ.get("TRACKIO_PROJECT", PROJECT), name=name, resume="allow",
                config=msgspec.to_builtins(record), embed=False,
            )  # fmt: skip

    def log(self, line: LogLine) -> None:
        """Writes the line's numbers."""
        self._run.log(numbers(line), step=line.step)

    def pictures(self, step: int, pictures: Sequence[Picture]) -> None:
        """Writes a panel for each."""
        self._run.log({f"valid/{each.name}": self._trackio.Image(panel(each)) for each in pictures}, step=step)

    def end(self, failed: bool) -> None:
        """Ends the run there."""
        with contextlib.redirect_stdout(sys.stderr):
            self._run.finish()
