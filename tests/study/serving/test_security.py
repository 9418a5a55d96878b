"""What the server refuses, and what it does not tell."""

import hmac
import json
import random
import re
import statistics
import time
from collections import Counter
from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.guard import HEADERS
from tests.study.studies_for_tests import BEGIN, Client, begun, client, given, open_api


def test_secrets_cannot_be_guessed_and_are_not_in_the_database(ask: Client, api: Api, tmp_path: Path) -> None:
    keys = [begun(ask, number)["key"] for number in range(20)]
    assert len(set(keys)) == 20
    assert {len(key) for key in keys} == {43}  # 256 bits
    assert len(api.secrets.admin) == 43
    api.store.close()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"nonce" not in files
    assert not any(key.encode() in files for key in [*keys, api.secrets.admin, api.secrets.root])


def test_secrets_are_compared_in_constant_time(ask: Client, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[object, object]] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    ask("GET", "/api/admin/overview", key="wrong")
    assert compared.pop() == (api.secrets.admin.encode(), b"wrong")
    api.secrets.link_number("0.wrong")
    assert compared.pop() == (api.secrets.link(0).encode(), b"0.wrong")
    session = begun(ask)
    compared.clear()
    ask("GET", "/api/session", key=session["key"])
    assert len(compared) == 1


@pytest.mark.parametrize("key", [None, "", "wrong", "é", "a" * 5000, "' OR 1=1 --"])
def test_without_the_key_nothing_is_told(ask: Client, api: Api, key: str | None) -> None:
    session = begun(ask)
    key = session["key"][:-1] if key == "wrong" else key
    requests = [
        ("GET", "/api/session", None),
        ("POST", "/api/answer", given(session, 0)),
        ("GET", "/api/picture/0/left", None),
        ("GET", "/api/picture/t0/left", None),
        ("GET", "/api/admin/overview", None),
        ("GET", "/api/admin/export/answers.csv", None),
        ("POST", "/api/admin/pause", {"paused": True}),
    ]
    assert [ask(*request, key=key).status for request in requests] == [401] * 7
    assert ask("GET", "/api/admin/overview", key=session["key"]).status == 401, "a rater is no researcher"
    assert ask("GET", "/api/session", key=api.secrets.admin).status == 401
    assert not reading.paused(api.store)
    assert reading.answers(api.store, api.study.questions) == []


@pytest.mark.parametrize("token", [None, "", "0", "0.", "0.x", "9.x", "-1.x", "²." + "x" * 43, "1e3.x", "0" * 150])
def test_links_that_are_not_ours_let_nobody_in(study: Path, tmp_path: Path, token: str | None) -> None:
    api = open_api(study, f"sqlite:///{tmp_path}/answers.sqlite", access="tokens", cap=3)
    ask = client(api)
    links = [token, api.secrets.link(3), api.secrets.link(2)]  # of three links, the one numbered 3 was not given out
    replies = [ask("POST", "/api/begin", {"nonce": "n" * 30, "token": link, **BEGIN}) for link in links]
    assert [reply.status for reply in replies] == [403, 403, 200]
    api.store.close()


PATHS = (
    *("/../design.json", "/..%2fdesign.json", "/%2e%2e/%2e%2e/etc/passwd", "/api/picture/..%2f..%2fdesign.json/left"),
    *("/api/picture/0/..%2f..%2fsecrets.json", "/api/picture/0/../../../secrets.json", "/crops/", "/crops"),
    *("/design.json", "/secrets.json", "/study.sqlite", "/templates/", "/study.css/..", "/api/picture"),
    *("/api/picture/", "/api/picture/0", "/api/picture/0/", "/api/picture/99999/left", "/api/picture/-1/left"),
    *("/api/picture/t-1/left", "/api/picture/t9/left", "/api/picture/0/target", "/api/picture/0/method0"),
    *("/api/picture/²/left", "/api/picture/0x0/left", f"/api/picture/{'9' * 5000}/left"),
    *("/api/admin/export/../../secrets.json", "/api/admin/export/..%2fsecrets.json"),
)


@pytest.mark.parametrize("who", ["rater", "researcher"])
def test_no_path_leads_to_other_files_and_none_lists_pictures(ask: Client, api: Api, who: str) -> None:
    key = begun(ask)["key"] if who == "rater" else api.secrets.admin
    statuses = {path: ask("GET", path, key=key).status for path in PATHS}
    assert {path: status for path, status in statuses.items() if status not in (401, 404)} == {}


def test_a_file_name_is_no_address_of_a_picture(ask: Client, api: Api) -> None:
    key = begun(ask)["key"]
    for name in api.study.design.images[0].files.values():
        assert ask("GET", f"/crops/{name}", key=key).status == 404
        assert ask("GET", f"/api/picture/{name}/left", key=key).status == 404


def test_only_what_is_asked_can_be_answered(ask: Client, api: Api) -> None:
    session, other = begun(ask), begun(ask, 1)
    mine = {item["id"] for item in session["questions"]}
    foreign = next(item["id"] for item in other["questions"] if item["id"] not in mine)
    wrong = [
        {**given(session, 0), "question": foreign},
        {**given(session, 0), "question": session["questions"][1]["id"]},
        {**given(session, 0), "question": "' OR '1'='1"},
        {**given(session, 0), "position": 99},
        {**given(session, 0), "position": -1},
        {**given(session, 0), "choice": "both"},
        {**given(session, 0), "seconds": -1},
        {**given(session, 0), "seconds": "1"},
        {**given(session, 0), "rater": "somebody else"},
        {**given(session, 0), "key": "short"},
        {},
        [],
    ]
    assert [ask("POST", "/api/answer", body, key=session["key"]).status for body in wrong] == [400] * len(wrong)
    assert reading.answers(api.store, api.study.questions) == []


def test_an_answer_cannot_be_changed_taken_back_or_given_for_another(ask: Client, api: Api) -> None:
    session = begun(ask)
    ask("POST", "/api/answer", given(session, 0, "left"), key=session["key"])
    changed = {**given(session, 0, "right"), "key": "another-key-of-mine"}
    assert ask("POST", "/api/answer", changed, key=session["key"]).status == 409
    assert ask("POST", "/api/answer", given(session, 0, "right"), key=session["key"]).status == 409
    for method in ("DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"):
        assert ask(method, "/api/answer", given(session, 0), key=session["key"]).status == 405
    assert [a.choice for a in reading.answers(api.store, api.study.questions)] == ["left"]


def test_every_reply_forbids_what_the_page_does_not_need(ask: Client) -> None:
    session = begun(ask)
    replies = [
        ask("GET", "/"), ask("GET", "/nowhere"), ask("GET", "/api/session"), ask("PUT", "/"),
        ask("GET", "/api/picture/0/left", key=session["key"]), ask("POST", "/api/answer", b"{", key=session["key"]),
    ]  # fmt: skip
    assert [reply.status for reply in replies] == [200, 404, 401, 405, 200, 400]
    for reply in replies:
        assert HEADERS.items() <= reply.headers.items()
        assert "access-control-allow-origin" not in reply.headers
        assert "set-cookie" not in reply.headers
    policy = dict(part.split(" ", 1) for part in replies[0].headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


def test_statements_are_never_put_together_from_values() -> None:
    sources = Path(reading.__file__).parent
    for path in sources.glob("*.py"):
        text = path.read_text()
        for call in re.findall(r"\.run\(\s*connection,\s*(.{0,60})", text, re.DOTALL):
            assert re.match(r'"|table\)|counted', call), f"{path.name}: {call}"
        assert not re.search(r'f"[^"]*\b(SELECT|INSERT|UPDATE|DELETE)\b', text)


def test_nothing_that_raters_receive_names_a_method_a_file_or_a_kind(ask: Client, api: Api) -> None:
    session = begun(ask)
    told = [
        ask("GET", path, key=session["key"]) for path in ("/", "/study.js", "/ask.js", "/api/study", "/api/session")
    ]
    for position in range(len(session["questions"])):
        told.append(ask("POST", "/api/answer", given(session, position), key=session["key"]))
        told += [ask("GET", f"/api/picture/{position}/{slot}", key=session["key"]) for slot in ("left", "right")]
    words = [*api.study.design.methods, *(image.target for image in api.study.design.images), "photo", "repeats"]
    words += [name for image in api.study.design.images for name in (image.id, *image.files.values())]
    everything = b"".join(reply.body + json.dumps(reply.headers).encode() for reply in told)
    assert [word for word in words if word.encode() in everything] == []
    for item in session["questions"]:
        assert item.keys() == {"id", "left", "right"}


def chunks(png: bytes) -> list[bytes]:
    names, at = [], 8
    while at < len(png):
        names.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return names


def test_neither_size_nor_headers_of_a_picture_tell_the_method(ask: Client, api: Api) -> None:
    session = begun(ask)
    for position in range(len(session["questions"])):
        left, right = (ask("GET", f"/api/picture/{position}/{slot}", key=session["key"]) for slot in ("left", "right"))
        assert left.headers == right.headers
        assert len(left.body) == len(right.body)
        assert set(chunks(left.body)) == set(chunks(right.body)) == {b"IHDR", b"IDAT", b"paDd", b"IEND"}


def test_the_time_of_a_reply_does_not_tell_the_method(ask: Client, api: Api) -> None:
    session = begun(ask)
    asked = [api.study.questions[item["id"]] for item in session["questions"]]
    taken: dict[str, list[float]] = {}
    for _ in range(12):
        for position, question in enumerate(asked):
            for slot in ("left", "right"):
                start = time.perf_counter()
                api.picture(session["key"], str(position), slot)
                taken.setdefault(getattr(question, slot), []).append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items() if name.startswith("method")}
    spread = statistics.median(abs(t - medians[n]) for n, times in taken.items() if n in medians for t in times)
    # The same work for each: medians differ by no more than single replies do (eight deviations: it must never fail).
    assert max(medians.values()) - min(medians.values()) < 8 * spread + 1e-4


def test_order_and_names_of_files_tell_nothing(api: Api) -> None:
    orders = {tuple(sorted(image.files, key=image.files.__getitem__)) for image in api.study.design.images}
    names = [name for image in api.study.design.images for name in image.files.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[0-9a-f]{24}\.png", name) for name in names)
    assert len(orders) > 1, "by chance once in 120 ** 3 times: five files of each of four images"
    ids = [question.id for question in api.study.design.questions]
    assert ids == sorted(ids)
    assert {path.stat().st_mtime for path in (api.study.path / "crops").iterdir()} == {0.0}


@pytest.mark.parametrize(("admin", "root"), [("", "r" * 43), ("a" * 43, ""), ("short", "r" * 43)])
def test_a_secret_that_can_be_guessed_is_refused(study: Path, tmp_path: Path, admin: str, root: str) -> None:
    (copy := tmp_path / "study").mkdir()
    (copy / "design.json").write_bytes((study / "design.json").read_bytes())
    (copy / "secrets.json").write_text(json.dumps({"admin": admin, "root": root}))
    with pytest.raises(RunError, match=r"secrets.json: the secret '(admin|root)' has [05] characters, and needs 16"):
        open_api(copy, f"sqlite:///{tmp_path}/answers.sqlite")


def test_two_thousand_random_requests_are_all_answered_in_words(ask: Client, api: Api) -> None:
    draw = random.Random(0)
    session = begun(ask)
    paths = [
        "/", "/admin", "/api/study", "/api/begin", "/api/session", "/api/answer", "/api/picture/0/left",
        "/api/picture/t0/right", "/api/admin/overview", "/api/admin/pause", "/api/admin/export/answers.csv",
    ]  # fmt: skip
    good = {
        "nonce": "n" * 30,
        **BEGIN,
        **given(session, 0),
        "paused": False,
        "token": "0.x",
        "parameters": {"workerId": "w"},
    }
    odd = [None, True, -1, 1e308, 10**30, "", "\x00", "é\ud800", "x" * 300, [], {}, [[]], {"a": {"b": []}}, "'; --"]
    bits = ["/", "%00", "%ff", "..", "%2e%2e", "é", "?", "#", ";", " ", "9" * 5000, "\\"]
    statuses = Counter()
    for _ in range(2200):
        path = draw.choice(paths)
        if draw.random() < 0.4:
            at = draw.randrange(len(path) + 1)
            path = path[:at] + draw.choice(bits) + path[at:]
        names = draw.sample(list(good), draw.randint(0, len(good)))
        body: object = {name: good[name] if draw.random() < 0.7 else draw.choice(odd) for name in names}
        kind = draw.random()
        if kind < 0.15:
            body = draw.randbytes(draw.randint(0, 200))
        elif kind < 0.3:
            text = bytearray(json.dumps(body).encode())
            text[draw.randrange(len(text))] = draw.randrange(256)
            body = bytes(text)
        key = draw.choice([None, session["key"], api.secrets.admin, "x", draw.randbytes(20).decode("latin-1")])
        headers = {"content-type": "application/json"} if draw.random() < 0.9 else {"sec-fetch-site": "cross-site"}
        reply = ask(draw.choice(["GET", "POST", "POST", "HEAD"]), path, body, key, headers)
        statuses[reply.status] += 1
        assert reply.status < 500, (path, body, key)
    assert {200, 400, 401, 403, 404, 405} <= statuses.keys()
