"""The log for MLflow, wherever its own settings say, else in ``RUN/mlflow``."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pdloss.errors import RunError
from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.data import TrainingPhotographs
from pdloss.training.loggers.contents import PROJECT, identity, numbers, panel
from pdloss.training.watching import Picture, Watcher

_LONGEST = 500
"""Letters that MLflow keeps of a value of a parameter in all its stores."""
_TAG = "pdloss.run"


class MLflow(Watcher):
    """Logs to MLflow's server that ``MLFLOW_TRACKING_URI`` names, else into a database in ``RUN/mlflow``.

    Works on a client of its own, so that another run that is active in the same process is left alone.
    """

    def __init__(self, out: Path) -> None:
        import mlflow

        self.out, self._mlflow = out, mlflow

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Begins the run there, or goes on with the one that carries this run's tag.

        Raises:
            RunError: If the server cannot be reached or refuses.
        """
        folder, where = (self.out / "mlflow").absolute(), os.environ.get("MLFLOW_TRACKING_URI")
        self._pictures = None if where else (folder / "pictures").as_uri()  # a server says itself where they go
        if not where:
            folder.mkdir(exist_ok=True)
            where = f"sqlite:///{folder / 'mlflow.db'}"
        try:
            self._client = self._mlflow.MlflowClient(tracking_uri=where)
            self._run = self._known(identity(record)) or self._begun(record)
        except self._mlflow.MlflowException as error:
            raise RunError(f"MLflow at {where} cannot begin: {str(error).splitlines()[0]}") from None

    def log(self, line: LogLine) -> None:
        """Sends the line's numbers."""
        now = int(time.time() * 1000)
        metrics = [self._mlflow.entities.Metric(name, value, now, line.step) for name, value in numbers(line).items()]
        self._client.log_batch(self._run, metrics=metrics)

    def pictures(self, step: int, pictures: Sequence[Picture]) -> None:
        """Sends a panel for each."""
        for picture in pictures:
            self._client.log_image(self._run, panel(picture), f"valid/{step:09d}/{Path(picture.name).stem}.png")

    def end(self, failed: bool) -> None:
        """Ends the run there."""
        self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")

    def _known(self, name: str) -> str | None:
        """Returns the run that was begun before, if there is one."""
        experiment = self._client.get_experiment_by_name(self._experiment)
        if experiment is None:
            return None
        found = self._client.search_runs([experiment.experiment_id], f"tags.`{_TAG}` = '{name}'", max_results=1)
        for run in found:
            self._client.update_run(run.info.run_id, status="RUNNING")
            return str(run.info.run_id)
        return None

    def _begun(self, record: RunRecord) -> str:
        experiment = self._client.get_experiment_by_name(self._experiment)
        place = (
            experiment.experiment_id if experiment else self._client.create_experiment(self._experiment, self._pictures)
        )
        run = self._client.create_run(place, run_name=self.out.name, tags={_TAG: identity(record)})
        said = {name: str(value)[:_LONGEST] for name, value in msgspec.to_builtins(record).items()}
        self._client.log_batch(
            run.info.run_id, params=[self._mlflow.entities.Param(name, value) for name, value in said.items()]
        )
        return str(run.info.run_id)

    @property
    def _experiment(self) -> str:
        return os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
