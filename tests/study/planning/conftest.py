"""A small study for all tests of planning."""

import pytest

from pdloss.study.folder import StudyFolder
from pdloss.study.planning.protocol import StudyProtocol
from tests.study.studies_for_tests import make_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    protocol = StudyProtocol(crop=32, questions=9, raters=20, seed=3, catch=2, repeats=3, identical=1, training=2)
    return StudyFolder(make_study(tmp_path_factory.mktemp("design"), protocol, images=6))
