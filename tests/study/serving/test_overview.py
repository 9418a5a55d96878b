"""What the researcher's page shows while the study runs."""

from pathlib import Path

import pytest

from pdloss.study.serving.api import Api
from tests.study.studies_for_tests import Client, begun, client, given, open_api


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


def test_the_researcher_sees_how_many_are_let_in(study: Path, tmp_path: Path) -> None:
    api = open_api(study, f"sqlite:///{tmp_path}/answers.sqlite", access="capped", cap=3)
    assert client(api)("GET", "/api/admin/overview", key=api.secrets.admin).json()["planned"] == 3
    api.store.close()
