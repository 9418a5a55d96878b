"""What the next rater is asked: a planned schedule, or what tells most now."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from tests.study.studies_for_tests import SMALL, answer, begin, make_study, open_api


def test_an_active_study_asks_about_the_pairs_not_settled(tmp_path: Path, database: str | None) -> None:
    api = open_api(make_study(tmp_path, replace(SMALL, kind="active", raters=8), images=6), database)

    def pairs(session: dict) -> Counter[frozenset[str]]:
        asked = [api.study.questions[item["id"]] for item in session["questions"]]
        return Counter(frozenset((q.left, q.right)) for q in asked if q.kind == "pair")

    first = begin(api)
    assert set(pairs(first).values()) == {2}
    equal = 0
    for rater in range(6):  # the third method is far behind, the first two are equal
        session = first if rater == 0 else begin(api)
        for position, item in enumerate(session["questions"]):
            q = api.study.questions[item["id"]]
            right = q.left == "method2"
            if {q.left, q.right} == {"method0", "method1"}:
                right, equal = q.right == f"method{equal % 2}", equal + 1
            answer(api, session, position, "right" if right else "left")
    later = pairs(begin(api))
    assert max(later, key=lambda pair: later[pair]) == {"method0", "method1"}
    api.store.close()
