"""What the web server answers, to raters and to the researcher."""

import csv
import re
import sqlite3
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from pdloss.study.records import Answer
from pdloss.study.serving.api import Api
from pdloss.study.serving.server import FILES, PAGES
from tests.study.studies_for_tests import BEGIN, SMALL, Client, begun, client, given, make_study, open_api


@pytest.mark.parametrize("path", [*(f"/{page}" for page in PAGES), *(f"/{file}" for file in FILES)])
def test_the_pages_are_there_and_ask_nothing_of_other_sites(ask: Client, path: str) -> None:
    reply = ask("GET", path)
    assert reply.status == 200
    assert re.findall(rb"https?://(?!www\.w3\.org/2000/svg)", reply.body) == []
    assert not re.search(rb"<script(?! type=\"module\" src=)|<style| style=| on[a-z]+=\"", reply.body)


def test_a_whole_session_over_http(ask: Client, api: Api) -> None:
    session = begun(ask)
    assert ask("GET", "/api/session", key=session["key"]).json()["position"] == 0
    total = len(session["questions"])
    for position in range(total):
        reply = ask("POST", "/api/answer", given(session, position), key=session["key"])
        assert reply.status == 200
    assert reply.json()["position"] == total
    assert ask("GET", "/api/session", key=session["key"]).json()["code"] == reply.json()["code"]


@pytest.mark.parametrize("reference", ["hidden", "shown", "demand"])
def test_pictures_are_those_of_the_question_and_have_the_hashes_announced(tmp_path: Path, reference: str) -> None:
    import base64

    api = open_api(make_study(tmp_path, replace(SMALL, reference=reference)))
    ask = client(api)
    session = begun(ask)
    asked = [api.study.questions[item["id"]] for item in session["questions"]]
    places = [*enumerate(asked), *((f"t{k}", question) for k, question in enumerate(api.study.design.training))]
    for place, question in places:
        files = api.study.images[question.image].files
        wanted = {"left": files[question.left], "right": files[question.right]}
        if reference != "hidden":
            wanted["reference"] = files["target"]
        items = session["questions"] if isinstance(place, int) else session["training"]
        item = items[int(str(place).removeprefix("t"))]
        assert item.keys() - {"id", "expected"} == wanted.keys()
        for slot, name in wanted.items():
            reply = ask("GET", f"/api/picture/{place}/{slot}", key=session["key"])
            assert reply.body == (api.study.path / "crops" / name).read_bytes()
            assert reply.headers["content-type"] == "image/png"
            assert item[slot] == f"sha256-{base64.b64encode(sha256(reply.body).digest()).decode()}"
    if reference == "hidden":
        assert ask("GET", "/api/picture/0/reference", key=session["key"]).status == 404
    api.store.close()


def test_the_page_is_told_how_many_questions_there_are_whatever_the_design(tmp_path: Path) -> None:
    for kind in ("full", "balanced", "active"):
        api = open_api(make_study(tmp_path / kind, replace(SMALL, kind=kind)))
        ask = client(api)
        assert ask("GET", "/api/study").json()["questions"] == len(begun(ask)["questions"]) == 11
        api.store.close()


def test_ties_are_taken_only_where_they_are_allowed(tmp_path: Path, ask: Client) -> None:
    session = begun(ask)
    assert ask("POST", "/api/answer", given(session, 0, "tie"), key=session["key"]).status == 400
    api = open_api(make_study(tmp_path, replace(SMALL, ties=True)))
    other = client(api)
    session = begun(other)
    assert other("POST", "/api/answer", given(session, 0, "tie"), key=session["key"]).json() == {"position": 1}
    overview = other("GET", "/api/admin/overview", key=api.secrets.admin).json()
    assert sum(map(sum, overview["ties"])) == 2
    assert sum(map(sum, overview["preferred"])) == 0
    api.store.close()


def test_the_researcher_sees_counts_and_preferences_that_answers_give_by_hand(ask: Client, api: Api) -> None:
    counts: dict[tuple[str, str], int] = {}
    right = caught = 0
    for rater in range(2):
        session = begun(ask, rater)
        for position, item in enumerate(session["questions"][: 11 - rater]):
            question = api.study.questions[item["id"]]
            choice = "left" if position % 2 else "right"
            ask("POST", "/api/answer", given(session, position, choice, 2.0 + position), key=session["key"])
            better, worse = (question.left, question.right) if choice == "left" else (question.right, question.left)
            if question.kind == "pair":
                counts[better, worse] = counts.get((better, worse), 0) + 1
            if question.kind == "catch":
                caught, right = caught + 1, right + (choice == question.expected)
    found = ask("GET", "/api/admin/overview", key=api.secrets.admin).json()
    names = api.study.design.methods
    assert found["methods"] == names
    assert found["preferred"] == [[counts.get((a, b), 0) for b in names] for a in names]
    kept = {name: found[name] for name in ("planned", "begun", "finished", "active", "answers", "last_hour", "seconds")}
    assert kept == {
        "planned": 4, "begun": 2, "finished": 1, "active": 1, "answers": 21, "last_hour": 21, "seconds": 7.0
    }  # fmt: skip
    assert found["catch_share"] == pytest.approx(right / caught)


def test_pausing_and_exporting_from_the_researchers_page(ask: Client, api: Api) -> None:
    secret = api.secrets.admin
    session = begun(ask)
    ask("POST", "/api/answer", given(session, 0), key=session["key"])
    assert ask("POST", "/api/admin/pause", {"paused": True}, key=secret).json()["paused"] is True
    assert ask("POST", "/api/begin", {"nonce": "m" * 30, **BEGIN}).status == 423
    assert ask("POST", "/api/admin/pause", {"paused": False}, key=secret).json()["paused"] is False
    rows = msgspec.json.decode(ask("GET", "/api/admin/export/answers.json", key=secret).body, type=list[Answer])
    (line,) = csv.DictReader(ask("GET", "/api/admin/export/answers.csv", key=secret).body.decode().splitlines())
    assert [line["rater"], line["question"]] == [rows[0].rater, rows[0].question]
    assert b"1200x800" in ask("GET", "/api/admin/export/raters.csv", key=secret).body
    assert ask("GET", "/api/admin/export/secrets.json", key=secret).status == 404


def test_a_database_that_is_gone_is_a_reason_to_ask_again(ask: Client, api: Api) -> None:
    session = begun(ask)
    with api.store.transaction() as connection:
        api.store.run(connection, "ALTER TABLE raters RENAME TO away")
    assert ask("POST", "/api/answer", given(session, 0), key=session["key"]).status == 503
    with api.store.transaction() as connection:
        api.store.run(connection, "ALTER TABLE away RENAME TO raters")
    assert ask("POST", "/api/answer", given(session, 0), key=session["key"]).json() == {"position": 1}


def test_the_researcher_sees_how_many_are_let_in(study: Path, tmp_path: Path) -> None:
    api = open_api(study, f"sqlite:///{tmp_path}/answers.sqlite", access="capped", cap=3)
    assert client(api)("GET", "/api/admin/overview", key=api.secrets.admin).json()["planned"] == 3
    api.store.close()


def test_a_database_that_keeps_all_waiting_is_a_reason_to_ask_again(
    ask: Client, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.pool import QueuePool

    session = begun(ask)
    pool = QueuePool(lambda: sqlite3.connect(":memory:"), pool_size=1, max_overflow=0, timeout=0)
    busy = pool.connect()
    with monkeypatch.context() as patch:
        patch.setattr(api.store._engine, "begin", pool.connect)
        assert ask("POST", "/api/answer", given(session, 0), key=session["key"]).status == 503
    busy.close()
    pool.dispose()
    assert ask("POST", "/api/answer", given(session, 0), key=session["key"]).json() == {"position": 1}
