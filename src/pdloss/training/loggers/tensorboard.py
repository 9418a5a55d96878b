"""The log for TensorBoard, in ``RUN/tensorboard``."""

from collections.abc import Sequence
from pathlib import Path

from pdloss.errors import RunError
from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.data import TrainingPhotographs
from pdloss.training.loggers.contents import numbers, panel
from pdloss.training.watching import Picture, Watcher


class TensorBoard(Watcher):
    """Writes the log for TensorBoard, into ``RUN/tensorboard``."""

    def __init__(self, out: Path) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.folder, self._writer = out / "tensorboard", SummaryWriter

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Begins a file of events; what an older one says of later steps, which are taken again, is not shown.

        Raises:
            RunError: If the folder cannot be written.
        """
        again = state.step + 1 if state.step else None
        try:
            self._board = self._writer(str(self.folder), purge_step=again)
        except OSError as error:
            raise RunError(f"{self.folder} cannot be written: {error.strerror}") from None
        said = {"network": record.network, "loss": record.loss, "degradation": record.degradation}
        for name, text in said.items():
            self._board.add_text(name, f"`{text}`", state.step)

    def log(self, line: LogLine) -> None:
        """Writes the line's numbers."""
        for name, value in numbers(line).items():
            self._board.add_scalar(name, value, line.step)
        self._board.flush()

    def pictures(self, step: int, pictures: Sequence[Picture]) -> None:
        """Writes a panel for each."""
        for picture in pictures:
            self._board.add_image(f"valid/{picture.name}", panel(picture), step, dataformats="HWC")

    def end(self, failed: bool) -> None:
        """Closes the file."""
        self._board.close()
