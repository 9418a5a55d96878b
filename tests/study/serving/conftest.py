"""A study opened on an empty database, and a client of its server, without a socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pdloss.study.serving.api import Api
from tests.study.studies_for_tests import Client, client, make_study, open_api, postgres


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def api(study: Path, tmp_path: Path) -> Iterator[Api]:
    api = open_api(study, f"sqlite:///{tmp_path}/answers.sqlite")
    yield api
    api.store.close()


@pytest.fixture
def ask(api: Api) -> Client:
    return client(api)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """None for the one in the study's folder, or the address of an empty one."""
    if request.param == "sqlite":
        return None
    url = request.getfixturevalue("cluster")
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS answers, raters, study")
    return url
