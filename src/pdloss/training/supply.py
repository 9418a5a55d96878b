"""The batches of a training, each fetched before the step that needs it is begun."""

import time
from collections.abc import Generator

from pdloss.datasets import Batch
from pdloss.memory import enough_memory


class Supply:
    """Fetches a training's batches and keeps what goes wrong in that, so that all processes can stop at the same step.

    A process that failed in its turn while the others compute would leave them waiting for its gradients.

    Args:
        batches: One for every step; closed in the end.
    """

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
        self._batches = batches
        self._batch: Batch | None = None
        self.failure: Exception | None = None
        """Why there is no next batch; None while there may be one."""
        self.waited = 0.0
        """Seconds that fetching took since this was last set to zero."""

    def fetch(self) -> None:
        """Makes the next batch ready, if there is one more."""
        started = time.monotonic()
        try:
            with enough_memory("preparing a batch", "use a smaller --batch or --crop, or smaller photographs"):
                self._batch = next(self._batches, None)
        except Exception as error:  # raised when what was trained so far is saved
            self.failure = error
        self.waited += time.monotonic() - started

    def take(self) -> Batch:
        """Returns the batch made ready."""
        batch, self._batch = self._batch, None
        if batch is None:
            raise RuntimeError("there is no batch ready: one is fetched for every step")
        return batch

    def close(self) -> None:
        """Ends whatever prepares batches."""
        self._batches.close()
