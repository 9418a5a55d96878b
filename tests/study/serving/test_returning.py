"""Raters who come back: with what their browser kept, without it, by another link, and after a long time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pdloss.commands.study import main
from pdloss.errors import SpecError
from pdloss.study.folder import StudyFolder
from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.requests import Refusal
from tests.study.pages_for_tests import TOTAL, answers, enter, press, raters, wait_for_question
from tests.study.studies_for_tests import Running, answer, begin, make_study, open_api, postgres

if TYPE_CHECKING:
    from playwright.sync_api import Page

LINK = {"PROLIFIC_PID": "p1", "STUDY_ID": "t", "SESSION_ID": "s1"}
OTHER_LINKS = ({**LINK, "SESSION_ID": "s2"}, {"PROLIFIC_PID": "p1"}, {"PROLIFIC_PID": "p1", "STUDY_ID": "u"}, LINK)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/answers.sqlite"
    url = request.getfixturevalue("cluster")
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS answers, raters, study")
    return url


@pytest.fixture
def opened(study: Path, database: str) -> Iterator[Callable[..., Api]]:
    """Opens the study, each time on the same database."""
    found: list[Api] = []

    def opened(**options: object) -> Api:
        found.append(open_api(study, database, **options))
        return found[-1]

    yield opened
    for api in found:
        api.store.close()


def test_a_participant_goes_on_where_they_were_whatever_their_browser_kept(opened: Callable[..., Api]) -> None:
    api = opened()
    session = begin(api, parameters=LINK)
    for position, link in enumerate(OTHER_LINKS):
        answer(api, session, position)
        again = begin(api, parameters=link)  # with another nonce: nothing was kept
        assert again["position"] == position + 1
        assert (again["key"], again["questions"]) == (session["key"], session["questions"])
    assert begin(api, parameters={"PROLIFIC_PID": "p2"})["position"] == 0
    assert begin(api, parameters={"workerId": "p1", "assignmentId": "s1"})["position"] == 0, "another service's p1"
    assert [progress.position for progress in reading.raters_progress(api.store)] == [4, 0, 0]
    assert reading.raters_progress(api.store)[0].parameters == LINK


def test_a_participant_comes_back_to_a_study_that_is_paused_or_full(opened: Callable[..., Api]) -> None:
    api = opened(access="capped", cap=1)
    begin(api, parameters=LINK)
    with pytest.raises(Refusal):
        begin(api)
    reading.set_paused(api.store, True)
    assert begin(api, parameters={"PROLIFIC_PID": "p1"})["position"] == 0
    assert len(reading.raters_progress(api.store)) == 1


def test_where_ids_are_not_enough_only_the_same_link_leads_back(opened: Callable[..., Api]) -> None:
    api = opened(known_by="link")
    session = begin(api, parameters=LINK)
    answer(api, session, 0)
    assert begin(api, parameters=LINK)["position"] == 1
    for other in OTHER_LINKS[:3]:
        with pytest.raises(Refusal, match="You have begun this study before") as refusal:
            begin(api, parameters=other)
        assert refusal.value.status == 409
    assert len(reading.raters_progress(api.store)) == 1


def test_an_invited_raters_session_is_not_open_to_who_knows_their_id(opened: Callable[..., Api]) -> None:
    api = opened(access="tokens", cap=3)
    session = begin(api, token=api.secrets.link(0), parameters=LINK)
    with pytest.raises(Refusal) as refusal:
        begin(api, token=api.secrets.link(1), parameters=LINK)
    assert refusal.value.status == 409
    assert begin(api, token=api.secrets.link(0))["key"] == session["key"]


def test_who_began_before_ids_were_enough_goes_on_too(opened: Callable[..., Api]) -> None:
    before = opened(known_by="link")
    session = begin(before, parameters=LINK)
    answer(before, session, 0)
    api = opened()
    assert api.session(session["key"])["position"] == 1, "what the browser kept is good"
    again = begin(api, parameters={"PROLIFIC_PID": "p1"})
    assert again["position"] == 1
    assert answer(api, again, 1) == {"position": 2}
    assert len(reading.raters_progress(api.store)) == 1


def long_ago(api: Api) -> None:
    with api.store.transaction() as connection:
        api.store.run(connection, "UPDATE raters SET last_at = '2026-01-02T03:04:05.678+00:00'")


def test_who_comes_back_too_late_is_told_so_and_since_when(opened: Callable[..., Api]) -> None:
    api = opened(days=7.0)
    session = begin(api, parameters=LINK)
    long_ago(api)
    words = r"last here on 02 January 2026. After 7 days it cannot be continued. What you answered is kept"
    for again in (lambda: begin(api, parameters=LINK), lambda: api.session(session["key"])):
        with pytest.raises(Refusal, match=words) as refusal:
            again()
        assert refusal.value.status == 410
    assert answer(api, session, 0) == {"position": 1}, "an answer given in time and sent late is kept"
    assert begin(api, parameters=LINK)["position"] == 1, "and counts as having been here"
    assert len(reading.raters_progress(api.store)) == 1


def test_who_has_finished_finds_their_code_at_any_time(opened: Callable[..., Api]) -> None:
    api = opened(days=7.0)
    session = begin(api, parameters=LINK)
    for position in range(len(session["questions"])):
        reply = answer(api, session, position)
    long_ago(api)
    assert begin(api, parameters=LINK)["code"] == reply["code"]


@pytest.mark.parametrize("days", ["0", "-1", "nan", "1e9"])
def test_days_that_are_none_are_refused(study: Path, days: str) -> None:
    with pytest.raises(SpecError, match="--return-days .* expected more than 0"):
        main(["serve", str(study), "--return-days", days])


def test_in_another_browser_the_page_goes_on_at_the_next_question(
    server: Running, visit: Callable[..., "Page"]
) -> None:
    before, address = raters(server), f"{server.address}?PROLIFIC_PID=abc&SESSION_ID="
    page = visit(f"{address}one")
    enter(page)
    for number in range(3):
        wait_for_question(page, number + 1)
        page.keyboard.press("ArrowLeft")
    wait_for_question(page, 4)
    other = visit(f"{address}two")
    for name in ("I agree", "Continue"):
        press(other, name)
    for number in range(3, TOTAL):
        wait_for_question(other, number + 1)
        other.keyboard.press("ArrowRight")
    other.get_by_role("heading", name="Thank you!").wait_for()
    given = answers(server, before)
    assert [one.choice for one in given] == ["left"] * 3 + ["right"] * (TOTAL - 3)
    assert len({one.rater for one in given}) == 1


def test_the_page_tells_who_comes_too_late_and_forgets_nothing(server: Running, visit: Callable[..., "Page"]) -> None:
    page = visit(f"{server.address}?PROLIFIC_PID=late")
    enter(page)
    wait_for_question(page, 1)
    store = reading.open_store(StudyFolder(server.study))
    with store.transaction() as connection:
        store.run(connection, "UPDATE raters SET last_at = '2026-01-02T03:04:05.678+00:00' WHERE position = 0")
    store.close()
    kept = page.evaluate("() => JSON.stringify(localStorage)")
    page.reload()
    page.get_by_role("heading", name="This was too long ago").wait_for()
    page.get_by_text("last here on 02 January 2026. After 30 days").wait_for()
    assert page.evaluate("() => JSON.stringify(localStorage)") == kept
    other = visit(f"{server.address}?PROLIFIC_PID=late")
    for name in ("I agree", "Continue"):
        press(other, name)
    other.get_by_role("heading", name="This was too long ago").wait_for()
