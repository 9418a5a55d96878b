"""What every rater is asked, in order."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from pdloss.study.folder import StudyFolder
from tests.study.studies_for_tests import SMALL, asked, make_study


def test_every_rater_gets_what_was_wished(study: StudyFolder) -> None:
    assert len(study.design.schedules) == 20
    for plan in study.design.schedules:
        assert Counter(q.kind for q in asked(study, plan)) == {"pair": 9, "catch": 2, "repeat": 3, "identical": 1}
        assert len(set(plan)) == len(plan)
        assert asked(study, plan)[0].kind == "pair"


def test_sides_are_balanced_for_pairs_methods_and_catch_trials(study: StudyFolder) -> None:
    questions = [question for plan in study.design.schedules for question in asked(study, plan)]
    sides = Counter((q.left, q.right) for q in questions if q.kind == "pair")
    for (left, right), count in sides.items():
        assert abs(count - sides[right, left]) <= 1
    on_left, on_right = (Counter(getattr(q, side) for q in questions if q.kind == "pair") for side in ("left", "right"))
    assert all(abs(on_left[name] - on_right[name]) <= 2 for name in study.design.methods)
    assert Counter(q.expected for q in questions if q.kind == "catch") == {"left": 20, "right": 20}
    assert all((q.left if q.expected == "left" else q.right) == "target" for q in questions if q.kind == "catch")


def test_repeats_mirror_what_the_rater_saw_well_before(study: StudyFolder) -> None:
    for plan in study.design.schedules:
        for place, question in enumerate(asked(study, plan)):
            if question.kind == "repeat":
                first = study.questions[str(question.repeats)]
                assert (first.image, first.left, first.right) == (question.image, question.right, question.left)
                assert plan.index(first.id) < place - 1
            if question.kind == "identical":
                assert question.left == question.right


def test_the_target_is_seen_only_of_images_not_judged_where_there_are_others(tmp_path: Path) -> None:
    study = StudyFolder(make_study(tmp_path, replace(SMALL, questions=3, repeats=1), images=6))
    for plan in study.design.schedules:
        questions = asked(study, plan)
        judged = {q.image for q in questions if q.kind == "pair"}
        assert not judged & {q.image for q in questions if q.kind == "catch"}
