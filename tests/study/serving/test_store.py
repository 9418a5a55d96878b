"""What the database keeps, in SQLite and in PostgreSQL alike."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.requests import Refusal
from tests.study.studies_for_tests import answer, begin, make_study, open_api


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
