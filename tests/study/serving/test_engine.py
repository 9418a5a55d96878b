"""The database behind a study: SQLite that loses nothing, and addresses that cannot be used."""

import stat
import sys
from pathlib import Path

import pytest

from pdloss.errors import MissingExtraError, UserError
from pdloss.study.serving.server import application, serve
from pdloss.study.serving.store import Store
from tests.study.studies_for_tests import SMALL, begin, make_study, open_api


def test_raters_ids_are_for_the_owner_of_the_files_alone(tmp_path: Path) -> None:
    api = open_api(make_study(tmp_path, SMALL))
    begin(api)
    files = list(api.study.path.glob("study.sqlite*"))
    assert len(files) > 1  # the database and its journal
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    api.store.close()


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    api = open_api(make_study(tmp_path))
    with api.store.transaction() as connection:
        found = {name: api.store.run(connection, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")}
    assert found == {"journal_mode": "wal", "synchronous": 2}
    api.store.close()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "'nonsense' is no database's address"),
        ("sqlite:////nowhere/at/all.sqlite", "cannot use the database .*unable to open database file"),
        ("mysql://u:geheim@127.0.0.1/x", "answers are kept in SQLite or PostgreSQL, not in mysql"),
        ("postgresql://u:geheim@127.0.0.1:1/x", "cannot use the database"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem) as error:
        Store(url, "design")
    assert "geheim" not in str(error.value)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    api = open_api(make_study(tmp_path))
    for package in ("sqlalchemy", "starlette", "starlette.applications", "uvicorn"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"sqlalchemy.*pip install 'pdloss\[study\]'"):
        Store("sqlite://", "design")
    with pytest.raises(MissingExtraError, match=r"starlette.*pdloss\[study\]"):
        application(api)
    with pytest.raises(MissingExtraError, match=r"uvicorn.*pdloss\[study\]"):
        serve(api, "127.0.0.1", 0, print)
    monkeypatch.undo()
    api.store.close()
