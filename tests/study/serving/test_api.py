"""What the pages may ask of a study, and what they are told."""

from dataclasses import replace
from pathlib import Path

import pytest

from pdloss.study.serving.requests import Refusal
from tests.study.studies_for_tests import SMALL, Client, answer, begin, begun, client, given, make_study, open_api


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
