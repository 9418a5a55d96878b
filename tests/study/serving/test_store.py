"""What the database keeps, in SQLite and in PostgreSQL alike."""

import csv
import itertools
import stat
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pdloss.errors import MissingExtraError, RunError, UserError
from pdloss.study.folder import StudyFolder
from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.requests import Refusal
from pdloss.study.serving.server import application, serve
from pdloss.study.serving.store import Store
from tests.study.studies_for_tests import SMALL, answer, begin, make_study, open_api, postgres


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


@pytest.fixture
def api(tmp_path: Path, database: str | None) -> Iterator[Api]:
    api = open_api(make_study(tmp_path), database)
    yield api
    api.store.close()


def test_answers_are_kept_in_order_and_read_back_with_what_was_asked(api: Api) -> None:
    session = begin(api)
    choices = ["left", "right"] * 6
    for position, choice in zip(range(len(session["questions"])), choices, strict=False):
        assert answer(api, session, position, choice)["position"] == position + 1
    kept = reading.answers(api.store, api.study.questions)
    assert [a.position for a in kept] == list(range(len(session["questions"])))
    assert [a.choice for a in kept] == choices[: len(kept)]
    assert {a.seconds for a in kept} == {1.5}
    plan = api.study.design.schedules[0]
    asked = [api.study.questions[name] for name in plan]
    assert [(a.question, a.kind, a.image, a.left, a.right, a.expected, a.repeats) for a in kept] == [
        (q.id, q.kind, q.image, q.left, q.right, q.expected, q.repeats) for q in asked
    ]
    (progress,) = reading.raters_progress(api.store)
    assert progress.finished_at == kept[-1].at
    assert progress.screen == {"width": 1200, "height": 800, "ratio": 1}


def test_the_same_answer_again_is_acknowledged_and_kept_once(api: Api) -> None:
    session = begin(api)
    first = answer(api, session, 0, "left")
    assert answer(api, session, 0, "left") == first
    answer(api, session, 1, "right")
    assert answer(api, session, 0, "left") == {"position": 2}
    assert len(reading.answers(api.store, api.study.questions)) == 2


@pytest.mark.parametrize(("choice", "key"), [("right", None), ("left", "another-answer-key")])
def test_a_given_answer_cannot_be_changed(api: Api, choice: str, key: str | None) -> None:
    session = begin(api)
    answer(api, session, 0, "left")
    with pytest.raises(Refusal) as refusal:
        answer(api, session, 0, choice, key)
    assert (refusal.value.status, refusal.value.more) == (409, {"position": 1})
    assert [a.choice for a in reading.answers(api.store, api.study.questions)] == ["left"]


def test_questions_are_answered_one_after_the_other(api: Api) -> None:
    session = begin(api)
    with pytest.raises(Refusal) as refusal:
        answer(api, session, 1)
    assert (refusal.value.status, refusal.value.more) == (409, {"position": 0})
    assert reading.answers(api.store, api.study.questions) == []


def test_whoever_comes_back_goes_on_where_they_were(api: Api) -> None:
    nonce = "n" * 30
    session = begin(api, nonce=nonce)
    answer(api, session, 0)
    again = begin(api, nonce=nonce)
    assert (again["key"], again["position"]) == (session["key"], 1)
    assert again["questions"] == session["questions"]
    assert len(reading.raters_progress(api.store)) == 1
    assert begin(api)["key"] != session["key"]


def test_schedules_are_given_out_evenly_even_to_a_crowd(api: Api) -> None:
    with ThreadPoolExecutor(8) as threads:
        sessions = list(threads.map(lambda _: begin(api), range(12)))
    assert len({session["key"] for session in sessions}) == 12
    assert Counter(progress.schedule for progress in reading.raters_progress(api.store)) == dict.fromkeys(range(4), 3)


def test_a_schedule_given_up_is_given_out_again(api: Api) -> None:
    for _ in range(4):
        begin(api)
    with api.store.transaction() as connection:
        api.store.run(connection, "UPDATE raters SET last_at = '2000-01-01' WHERE schedule = 2")
    begin(api)
    assert [progress.schedule for progress in reading.raters_progress(api.store)][-1] == 2


def test_one_of_many_answers_at_once_is_kept(api: Api) -> None:
    session, barrier = begin(api), threading.Barrier(6)

    def give(number: int) -> int:
        barrier.wait()
        try:
            return answer(api, session, 0, "left", f"key-of-window-{number:03d}")["position"]
        except Refusal as refusal:
            return -refusal.status

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(give, range(6))) == [-409] * 5 + [1]
    assert len(reading.answers(api.store, api.study.questions)) == 1


def test_what_a_rater_writes_is_never_part_of_a_statement(api: Api) -> None:
    evil = "x'); DROP TABLE answers; --"
    session = begin(api, parameters={"PROLIFIC_PID": evil, "SESSION_ID": evil})
    answer(api, session, 0)
    assert reading.raters_progress(api.store)[0].parameters == {"PROLIFIC_PID": evil, "SESSION_ID": evil}
    assert len(reading.answers(api.store, api.study.questions)) == 1
    assert api.store.session(evil) is None


def test_parameters_are_kept_as_given_and_nothing_else(api: Api) -> None:
    given = {"PROLIFIC_PID": "5f=é", "SESSION_ID": " s ", "STUDY_ID": "t"}
    begin(api, parameters={**given, "email": "someone@example.org"})
    assert reading.raters_progress(api.store)[0].parameters == given


def test_a_capped_study_lets_in_as_many_as_can_finish(tmp_path: Path, database: str | None) -> None:
    api = open_api(make_study(tmp_path), database, access="capped", cap=2)
    first, _ = begin(api), begin(api)
    with pytest.raises(Refusal) as refusal:
        begin(api)
    assert refusal.value.status == 423
    with api.store.transaction() as connection:  # the first has gone away: a place is free
        api.store.run(connection, "UPDATE raters SET last_at = '2000-01-01' WHERE position = 0 AND schedule = 0")
    begin(api)
    answer(api, first, 0)  # and who comes back late is not turned away
    api.store.close()


def test_a_paused_study_lets_nobody_in_and_those_within_go_on(api: Api) -> None:
    session = begin(api)
    reading.set_paused(api.store, True)
    assert reading.paused(api.store)
    with pytest.raises(Refusal) as refusal:
        begin(api)
    assert refusal.value.status == 423
    assert answer(api, session, 0) == {"position": 1}
    reading.set_paused(api.store, False)
    begin(api)


def test_an_active_study_asks_about_the_pairs_not_settled(tmp_path: Path, database: str | None) -> None:
    api = open_api(make_study(tmp_path, replace(SMALL, kind="active", raters=8), images=6), database)

    def pairs(session: dict) -> Counter[frozenset[str]]:
        asked = [api.study.questions[item["id"]] for item in session["questions"]]
        return Counter(frozenset((q.left, q.right)) for q in asked if q.kind == "pair")

    first = begin(api)
    assert set(pairs(first).values()) == {2}
    equal = 0
    for rater in range(6):  # the third method is far behind, the first two are equal
        session = first if rater == 0 else begin(api)
        for position, item in enumerate(session["questions"]):
            q = api.study.questions[item["id"]]
            right = q.left == "method2"
            if {q.left, q.right} == {"method0", "method1"}:
                right, equal = q.right == f"method{equal % 2}", equal + 1
            answer(api, session, position, "right" if right else "left")
    later = pairs(begin(api))
    assert max(later, key=lambda pair: later[pair]) == {"method0", "method1"}
    api.store.close()


def test_a_database_belongs_to_one_design(tmp_path: Path, database: str | None) -> None:
    one = open_api(make_study(tmp_path / "one"), database)
    url = database or f"sqlite:///{one.study.database}"
    with pytest.raises(RunError, match="holds answers to another design; name an empty one"):
        open_api(make_study(tmp_path / "two"), url)
    one.store.close()


def test_answers_are_read_while_the_server_has_the_database(api: Api, database: str | None) -> None:
    session = begin(api)
    answer(api, session, 0)
    assert [a.choice for a in reading.study_answers(api.study.path, database)] == ["left"]


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


def test_nobody_having_answered_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no answers yet; pdloss study serve"):
        reading.study_answers(make_study(tmp_path))


def test_the_table_of_raters_has_their_parameters_and_no_formulas(tmp_path: Path) -> None:
    api = open_api(make_study(tmp_path))
    begin(api, parameters={"workerId": "=1+1", "assignmentId": "a"})
    begin(api)
    (first, second) = csv.DictReader(reading.raters_csv(reading.raters_progress(api.store), {}).splitlines())
    assert first["workerId"] == "'=1+1"
    assert (second["workerId"], second["window"], second["pixel_ratio"], second["of"]) == ("", "1200x800", "1.0", "11")
    study = StudyFolder(api.study.path)
    files = reading.export(api.store, study, tmp_path / "out", "table\n")
    assert [file.name for file in files] == ["answers.csv", "answers.json", "raters.csv"]
    assert files[2].read_text() == "table\n"
    api.store.close()


def test_completion_codes_are_the_raters_own_or_the_researchers(tmp_path: Path) -> None:
    codes = []
    for k, completion in enumerate((None, "CODE7")):
        api = open_api(make_study(tmp_path / str(k), replace(SMALL, completion=completion)))
        for _ in range(2):
            session = begin(api)
            replies = [answer(api, session, position) for position in range(len(session["questions"]))]
            assert [reply for reply in replies if "code" in reply] == replies[-1:]
            assert api.session(session["key"])["code"] == replies[-1]["code"]
            codes.append(replies[-1]["code"])
        api.store.close()
    assert len(set(codes)) == 3
    assert codes[2:] == ["CODE7", "CODE7"]
    assert all(len(code) == 8 for code in itertools.islice(codes, 2))
