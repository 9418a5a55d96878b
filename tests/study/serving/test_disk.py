"""A disk that is full: said to all who should know, and nothing that was acknowledged is lost."""

import logging
from pathlib import Path

import pytest

from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from tests.study.studies_for_tests import Client, begun, given


def limit_pages(api: Api, more: int) -> None:
    """Lets the database grow by so many pages and no further, as a full disk does."""
    with api.store.transaction() as connection:
        pages = api.store.run(connection, "PRAGMA page_count")[0][0]
        api.store.run(connection, f"PRAGMA max_page_count = {pages + more}")


def answered_until_refused(ask: Client, api: Api) -> tuple[list[dict], list[int]]:
    """Returns the sessions and how many answers of each were acknowledged, until one could not be saved."""
    sessions, kept = [begun(ask, number) for number in range(20)], [0] * 20
    limit_pages(api, 0)
    for number, session in enumerate(sessions):
        for position in range(len(session["questions"])):
            reply = ask("POST", "/api/answer", given(session, position), key=session["key"])
            if reply.status != 200:
                assert reply.status == 503
                assert reply.json()["error"] == "The server cannot read or save anything at the moment"
                return sessions, kept
            kept[number] += 1
    raise AssertionError("the disk was never full: the test has tested nothing")


def test_a_full_disk_is_said_and_answers_go_on_once_there_is_room(
    ask: Client, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    sessions, kept = answered_until_refused(ask, api)
    number = next(k for k, count in enumerate(kept) if count < len(sessions[k]["questions"]))
    waiting, key = given(sessions[number], kept[number]), sessions[number]["key"]
    assert ask("POST", "/api/answer", waiting, key=key).status == 503
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1, "said once, however often it is tried"
    assert "nothing can be saved: database or disk is full (since 20" in said[0]
    overview = ask("GET", "/api/admin/overview", key=api.secrets.admin).json()
    assert overview["problem"].startswith("database or disk is full (since 20")
    assert overview["answers"] == sum(kept), "what was acknowledged is there"
    assert ask("GET", "/api/admin/export/answers.csv", key=api.secrets.admin).status == 200
    assert ask("GET", "/api/session", key=key).json()["position"] == kept[number]
    limit_pages(api, 1000)
    assert ask("POST", "/api/answer", waiting, key=key).json()["position"] == kept[number] + 1
    assert ask("GET", "/api/admin/overview", key=api.secrets.admin).json()["problem"] is None
    assert caplog.records[-1].getMessage() == "answers are saved again"
    assert len(reading.answers(api.store, api.study.questions)) == sum(kept) + 1


def test_the_researcher_is_told_why_and_raters_are_not(ask: Client, api: Api) -> None:
    session = begun(ask)
    with api.store.transaction() as connection:
        api.store.run(connection, "ALTER TABLE raters RENAME TO away")
    told = ask("GET", "/api/admin/overview", key=api.secrets.admin)
    assert (told.status, "no such table: raters" in told.json()["error"]) == (503, True)
    assert b"table" not in ask("POST", "/api/answer", given(session, 0), key=session["key"]).body


def test_a_crop_that_is_gone_is_a_reason_to_ask_again_and_is_said(
    ask: Client, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    session = begun(ask)
    question = api.study.questions[session["questions"][0]["id"]]
    path: Path = api.study.path / "crops" / api.study.images[question.image].files[question.left]
    data = path.read_bytes()
    path.unlink()
    try:
        reply = ask("GET", "/api/picture/0/left", key=session["key"])
        assert (reply.status, path.name.encode() in reply.body) == (503, False)
        assert f"cannot read {path}" in caplog.text
    finally:
        path.write_bytes(data)
    assert ask("GET", "/api/picture/0/left", key=session["key"]).body == data
