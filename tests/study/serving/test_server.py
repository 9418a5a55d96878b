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
