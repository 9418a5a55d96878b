"""The server killed with -9 while raters answer: every acknowledged answer is kept, once, and nobody is asked twice."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from pdloss.study.serving import reading
from tests.study.studies_for_tests import BEGIN, SMALL, Running, cluster, make_study, postgres, running


@dataclass
class Rater:
    """Answers everything, asks again when there is no reply, and notes what was acknowledged."""

    number: int
    address: str
    up: threading.Event
    """Whether it makes sense to ask."""
    asked: list[str] = field(default_factory=list)
    acknowledged: list[tuple[str, int, str, str]] = field(default_factory=list)
    retries: int = 0

    def run(self, done: "threading.Semaphore") -> None:
        draw = random.Random(self.number)
        with httpx.Client(base_url=self.address, timeout=30, verify=False) as http:
            session = self.send(http, "/api/begin", {"nonce": f"nonce-{self.number:030d}", **BEGIN})
            headers = {"Authorization": f"Bearer {session['key']}"}
            for position, item in enumerate(session["questions"]):
                self.asked.append(item["id"])
                choice, key = draw.choice(["left", "right"]), f"key-{self.number:08d}-{position:08d}"
                body = {"position": position, "question": item["id"], "choice": choice, "seconds": 1.0, "key": key}
                assert self.send(http, "/api/answer", body, headers)["position"] == position + 1
                self.acknowledged.append((key, position, item["id"], choice))
                done.release()

    def send(self, http: httpx.Client, path: str, body: dict, headers: dict | None = None) -> dict:
        while True:
            try:
                reply = http.post(path, json=body, headers=headers)
                if reply.status_code == 200:
                    return reply.json()
                assert reply.status_code in (429, 503), reply.text
            except httpx.TransportError:
                self.retries += 1
                assert self.up.wait(timeout=60)


@pytest.fixture(params=["sqlite", "postgresql"])
def options(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    if request.param == "sqlite":
        yield ()
    else:
        with postgres() as url:
            yield ("--database", url)


def answered_through(raters: list[Rater], fault: Callable[[], None]) -> None:
    """Lets all raters answer at once, while something goes wrong after twenty answers, and after twenty more."""
    done = threading.Semaphore(0)
    with ThreadPoolExecutor(len(raters)) as threads:
        futures = [threads.submit(rater.run, done) for rater in raters]
        for _ in range(2):
            for _ in range(20):
                assert done.acquire(timeout=60)
            fault()
        for future in futures:
            future.result(timeout=60)


def test_no_acknowledged_answer_is_lost_or_doubled_when_the_server_is_killed(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = make_study(tmp_path, replace(SMALL, questions=12, raters=6))
    with running(path, *options) as server:
        up = threading.Event()
        up.set()
        raters = [Rater(number, server.address, up) for number in range(6)]

        def restart() -> None:
            up.clear()
            server.restart()
            up.set()

        answered_through(raters, restart)
        check(raters, path, options[1] if options else None, server)
    assert sum(rater.retries for rater in raters) > 0, "no rater noticed: the test has tested nothing"


def test_a_database_that_is_started_again_is_found_again(tmp_path: Path) -> None:
    path = make_study(tmp_path, replace(SMALL, questions=12, raters=6))
    with cluster() as database, running(path, "--database", database.url) as server:
        up = threading.Event()
        up.set()
        raters = [Rater(number, server.address, up) for number in range(6)]

        def restart() -> None:
            database.stop()
            assert httpx.get(f"{server.address}api/session").status_code == 503
            database.start()

        answered_through(raters, restart)
        assert server.process.poll() is None
        check(raters, path, database.url, server)


def check(raters: list[Rater], path: Path, database: str | None, server: Running) -> None:
    kept = reading.study_answers(path, database)
    acknowledged = [answer[1:] for rater in raters for answer in rater.acknowledged]
    assert Counter((a.position, a.question, a.choice) for a in kept) == Counter(acknowledged)
    assert len(kept) == sum(len(rater.asked) for rater in raters) == 6 * 17
    assert len({(a.rater, a.position) for a in kept}) == len({(a.rater, a.question) for a in kept}) == len(kept)
    assert len({a.rater for a in kept}) == len(raters)
    found = httpx.get(f"{server.address}api/admin/overview", headers={"Authorization": f"Bearer {server.secret}"})
    assert found.json()["finished"] == len(raters)
