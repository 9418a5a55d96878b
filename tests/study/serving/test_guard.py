"""What stands before every request: limits of size, time and rate, no other site, no other host."""

import asyncio
import json

import pytest

from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.guard import Guard, RateLimit
from tests.study.studies_for_tests import BEGIN, Client, begun, client, given


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": ""},
    ],
)
def test_requests_from_other_sites_are_refused(ask: Client, api: Api, headers: dict[str, str]) -> None:
    session = begun(ask)
    assert ask("POST", "/api/answer", given(session, 0), key=session["key"], headers=headers).status == 403
    assert ask("POST", "/api/admin/pause", {"paused": True}, key=api.secrets.admin, headers=headers).status == 403
    assert not reading.paused(api.store)
    own = {"origin": "https://study.example", "sec-fetch-site": "same-origin"}
    assert ask("POST", "/api/answer", given(session, 0), key=session["key"], headers=own).status == 200


def test_a_proxy_that_renames_the_host_keeps_nobody_out(ask: Client) -> None:
    session = begun(ask)
    renamed = {"origin": "https://public.example", "sec-fetch-site": "same-origin", "host": "127.0.0.1:8000"}
    assert ask("POST", "/api/answer", given(session, 0), key=session["key"], headers=renamed).status == 200
    foreign = renamed | {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8000"}
    assert ask("POST", "/api/answer", given(session, 1), key=session["key"], headers=foreign).status == 403


def test_bodies_have_a_limit_whatever_they_say_of_themselves(ask: Client) -> None:
    large = json.dumps({"nonce": "n" * 30, **BEGIN, "token": "x" * 20000}).encode()
    assert ask("POST", "/api/begin", large).status == 413
    assert ask("POST", "/api/begin", large, headers={"content-length": "10"}).status == 413
    assert ask("POST", "/api/begin", b"{}", headers={"content-length": "9" * 15}).status == 413
    deep = b'{"parameters":' + b"[" * 8000 + b"]" * 8000 + b"}"
    assert ask("POST", "/api/begin", deep).status == 400


def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    async def never(*_: object) -> None:
        raise AssertionError("the request must not get through")

    async def run() -> list[dict]:
        sent: list[dict] = []

        async def receive() -> dict:
            if not sent:
                await asyncio.Event().wait()
            return {}

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "headers": [], "client": ("10.0.0.1", 1)}
        await Guard(never, RateLimit(1, 1), seconds=0.01)(scope, receive, send)
        return sent

    assert asyncio.run(run())[0]["status"] == 408


def test_each_address_has_its_own_rate() -> None:
    now = [0.0]
    limit = RateLimit(rate=2, burst=3, clock=lambda: now[0], addresses=2)
    assert [limit.wait("10.0.0.1") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert limit.wait("10.0.0.2") == 0
    now[0] = 0.5
    assert [limit.wait("10.0.0.1") for _ in range(2)] == [0, 0.5]
    now[0] = 1000.0
    assert [limit.wait("10.0.0.1") for _ in range(4)] == [0, 0, 0, 0.5]
    same = [limit.wait(f"2001:db8::{k}") for k in range(4)]
    assert same == [0, 0, 0, 0.5], "one house has many IPv6 addresses"
    assert limit.wait("2001:db8:0:1::1") == 0
    assert limit.wait("no address") == 0


def test_too_many_requests_are_refused_with_the_time_to_wait(api: Api) -> None:
    ask = client(api, RateLimit(0.5, 2, clock=lambda: 0.0))
    replies = [ask("GET", "/api/study") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].headers["retry-after"] == "3"
    ask.address = "10.0.0.2"
    assert ask("GET", "/api/study").status == 200
