"""The log for MLflow, on the real package with files on this machine."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import RunError
from pdloss.records import read_log
from pdloss.training.loop import train
from tests.runs_for_tests import config, photographs_in
from tests.training.loggers.stopped import train_in_two_pieces

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow about itself


def test_a_stopped_training_is_one_run_with_its_numbers_options_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = train_in_two_pieces(tmp_path, "mlflow")
    where = f"sqlite:///{folder / 'mlflow' / 'mlflow.db'}"
    client = mlflow.MlflowClient(where)
    experiment = client.get_experiment_by_name("pdloss")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status, run.data.params["loss"]) == ("run", "FINISHED", "l1")
    course = {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, "term/l1")}
    assert course == pytest.approx({line.step: line.terms["l1"] for line in read_log(folder / "log.jsonl")})
    picture = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="valid/000000006/photo1.png", tracking_uri=where
    )
    assert np.asarray(Image.open(picture)).shape == (24, 90, 3)
    assert mlflow.active_run() is None


def test_a_server_that_refuses_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RunError, match=r"^MLflow at http://127\.0\.0\.1:9 cannot begin: "):
        train(config(photographs_in(tmp_path / "data"), tmp_path / "run", log="mlflow"))
