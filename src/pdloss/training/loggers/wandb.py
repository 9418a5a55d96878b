"""The log for Weights & Biases, kept in ``RUN/wandb`` and sent where its own settings say."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pdloss.errors import RunError
from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.data import TrainingPhotographs
from pdloss.training.loggers.contents import PROJECT, identity, numbers, panel
from pdloss.training.watching import Picture, Watcher


class WeightsAndBiases(Watcher):
    """Logs to Weights & Biases, as its environment variables say: ``WANDB_MODE=offline`` sends nothing.

    A resumed run goes on under the same id; a step that is taken again after a crash is kept as it first was.
    """

    def __init__(self, out: Path) -> None:
        import wandb

        self.out, self._wandb = out, wandb

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Begins the run there.

        Raises:
            RunError: If it cannot be begun, such as for want of a key.
        """
        settings = self._wandb.Settings(silent=True, console="off", save_code=False, disable_git=True)
        try:
            self._run = self._wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT), name=self.out.name, id=identity(record),
                resume="allow", dir=self.out, config=msgspec.to_builtins(record), settings=settings,
            )  # fmt: skip
        except self._wandb.Error as error:
            cause, here = str(error).splitlines()[0], self.out / "wandb"
            raise RunError(f"W&B cannot begin: {cause}; WANDB_MODE=offline logs into {here} only") from None

    def log(self, line: LogLine) -> None:
        """Sends the line's numbers."""
        self._run.log(numbers(line), step=line.step)

    def pictures(self, step: int, pictures: Sequence[Picture]) -> None:
        """Sends a panel for each."""
        self._run.log({f"valid/{each.name}": self._wandb.Image(panel(each)) for each in pictures}, step=step)

    def end(self, failed: bool) -> None:
        """Ends the run there."""
        self._run.finish(exit_code=int(failed))
