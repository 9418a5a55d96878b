"""What the web server answers: to raters, to the researcher, and as a user starts it."""

import csv
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from pdloss.commands.study import main
from pdloss.errors import RunError, SpecError
from pdloss.study.folder import StudyFolder
from pdloss.study.records import Answer, Rules
from pdloss.study.serving.api import Api
from pdloss.study.serving.server import FILES, PAGES
from tests.study.studies_for_tests import BEGIN, SMALL, Client, client, make_study, open_api, running, write_folders


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("server"))


@pytest.fixture
def api(study: Path, tmp_path: Path) -> Iterator[Api]:
    api = open_api(study, f"sqlite:///{tmp_path}/answers.sqlite")
    yield api
    api.store.close()


@pytest.fixture
def ask(api: Api) -> Client:
    return client(api)


def begun(ask: Client, number: int = 0) -> dict:
    reply = ask("POST", "/api/begin", {"nonce": f"nonce{number:030d}", **BEGIN})
    assert reply.status == 200, reply.body
    return reply.json()


def given(session: dict, position: int, choice: str = "left", seconds: float = 2.0) -> dict:
    name = session["questions"][position]["id"]
    key = f"key-{session['key'][:8]}-{position:08d}"
    return {"position": position, "question": name, "choice": choice, "seconds": seconds, "key": key}


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


def test_from_folders_to_export_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import httpx

    folders = write_folders(tmp_path / "pictures")
    methods = [f"{name}={folder}" for name, folder in folders.items() if name != "target"]
    out = tmp_path / "study"
    options = ["--crop", "32", "--questions", "6", "--raters", "5", "--seed", "4", "--min-seconds", "0.7"]
    assert main(["design", *methods, "--target", str(folders["target"]), "--out", str(out), *options]) == 0
    said = capsys.readouterr().out
    assert "3 methods, 4 crops of 32 pixels, seed 4" in said
    assert re.search(r"60:40\D+194\D+97\D", said), said  # 194 answers to each of 3 pairs at 6 a rater
    assert StudyFolder(out).design.rules == Rules(min_seconds=0.7)
    with running(out, "--access", "tokens", "--raters", "2", "--url", "https://study.example/x") as server:
        address = f"http://127.0.0.1:{server.port}"
        assert server.admin.startswith("https://study.example/x/admin#")
        links = (out / "links.txt").read_text().split()
        assert len(set(links)) == 2
        assert (out / "links.txt").stat().st_mode & 0o077 == 0
        tokens = [link.removeprefix("https://study.example/x/#rater=") for link in links]
        begin = [
            httpx.post(f"{address}/api/begin", json={"nonce": f"nonce-{k:030d}", "token": token, **BEGIN})
            for k, token in enumerate((tokens[0], tokens[0], tokens[1]))
        ]
        assert [reply.status_code for reply in begin] == [200, 200, 200]
        assert begin[0].json()["key"] == begin[1].json()["key"] != begin[2].json()["key"]
        session = begin[0].json()
        key = {"Authorization": f"Bearer {session['key']}"}
        reply = httpx.post(f"{address}/api/answer", json=given(session, 0), headers=key)
        assert reply.json() == {"position": 1}
        assert "server" not in reply.headers
        assert main(["export", str(out), "--out", str(tmp_path / "export")]) == 0  # while it runs
    assert len(json.loads((tmp_path / "export" / "answers.json").read_text())) == 1
    assert len((tmp_path / "export" / "raters.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["sevre"], "unknown verb 'sevre' of pdloss study; did you mean 'serve'"),
        (["design", "a", "--target", "t", "--out", "o"], "expected METHOD=DIR, such as pdl=restored/pdl, got 'a'"),
        (["design", "a=x", "a=y", "--target", "t", "--out", "o"], "two methods are called 'a'"),
        (["serve", "s", "--raters", "0"], "--raters 0: expected 1 to 1000000"),
        (["serve", "s", "--access", "tokens", "--raters", "1000001"], "--raters 1000001: expected 1 to 1000000"),
        (["serve", "s", "--raters", "9"], "--raters limits nothing where everybody is let in"),
        (["serve", "s", "--port", "70000"], "--port 70000: expected 1 to 65535"),
        (["serve", "s", "--url", "x.org"], "--url x.org: expected the whole address, such as https://x.org"),
        (["serve", "s", "--rate", "0"], "--rate 0: it must be above 0"),
    ],
)
def test_slips_on_the_command_line_are_named(argv: list[str], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        main(argv)


def test_no_study_is_served_where_there_is_none_or_it_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"design\.json does not exist"):
        main(["serve", str(tmp_path)])
    path = make_study(tmp_path)
    next((path / "crops").iterdir()).unlink()
    with pytest.raises(RunError, match="cannot read .*No such file or directory"):
        main(["serve", str(path)])


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    import socket

    from pdloss.errors import UserError

    path = make_study(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen at 127.0.0.1, port {port}: .*choose another with --port"):
            main(["serve", str(path), "--port", str(port)])
    for host in ("192.0.2.1", "[no name]"):
        with pytest.raises(UserError, match="cannot listen at .*give an address of this machine with --host"):
            main(["serve", str(path), "--host", host, "--port", "0"])


def test_who_listens_everywhere_is_told_to_name_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_study(tmp_path)
    monkeypatch.setattr(
        "pdloss.study.serving.server.serve", lambda api, host, port, say, limit: say("http://0.0.0.0:1/")
    )
    main(["serve", str(path), "--host", "0.0.0.0"])
    assert "give that with --url" in capsys.readouterr().out
    main(["serve", str(path), "--host", "0.0.0.0", "--url", "https://study.example"])
    said = capsys.readouterr().out
    assert "give that" not in said
    assert "raters: https://study.example/\n" in said


def test_nothing_is_exported_of_a_study_never_served(tmp_path: Path) -> None:
    path = make_study(tmp_path)
    with pytest.raises(RunError, match="has no answers yet; pdloss study serve"):
        main(["export", str(path)])
    assert not (path / "study.sqlite").exists()


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


def test_the_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main([]) == 2
    assert all(verb in capsys.readouterr().out for verb in ("design",))
