"""One page of runs with everything, made once for all tests that read it."""

from pathlib import Path

import pytest

from pdloss.report import write_report
from tests.report.full_runs import write_full_runs


@pytest.fixture(scope="session")
def full_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs ``smooth`` and ``sharp``, their page in ``my report``, and its files in ``figures``."""
    folder = tmp_path_factory.mktemp("full")
    write_report(write_full_runs(folder), folder / "my report", paper=True, export_to=folder / "figures")
    return folder
