"""Which pairs tell most: the posterior of the scores, and what an answer is expected to add."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pdloss.study.folder import StudyFolder
from pdloss.study.planning.active import chosen_pairs, information, next_questions, posterior
from tests.study.studies_for_tests import SMALL, asked, make_study


def test_the_posterior_is_that_of_a_general_optimizer() -> None:
    from scipy.optimize import minimize

    wins = np.array([[0, 9, 3], [1, 0, 4], [0, 2, 0]], dtype=float)

    def loss(scores: np.ndarray) -> float:
        likelihood = sum(wins[a, b] * np.logaddexp(0, scores[b] - scores[a]) for a in range(3) for b in range(3))
        return float(likelihood + (scores**2).sum() / 2 / 1.5**2)

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    known = posterior(wins)
    assert known.mean == pytest.approx(found.x, abs=1e-5)
    step = 1e-3 * np.eye(3)
    curvature = [
        [
            (loss(found.x + a + b) - loss(found.x + a - b) - loss(found.x - a + b) + loss(found.x - a - b)) / 4e-6
            for a in step
        ]
        for b in step
    ]
    assert np.linalg.inv(known.covariance) == pytest.approx(np.array(curvature), abs=1e-4)


def test_expected_information_is_that_of_drawing_scores_and_answers() -> None:
    known = posterior(np.array([[0, 5, 0], [2, 0, 1], [0, 0, 0]], dtype=float))
    scores = np.random.default_rng(0).multivariate_normal(known.mean, known.covariance, 200_000)
    p = 1 / (1 + np.exp(scores[:, 1] - scores[:, 0]))
    entropy = stats.entropy([[p.mean(), *p], [1 - p.mean(), *(1 - p)]])
    assert information(known)[0, 1] == pytest.approx(entropy[0] - entropy[1:].mean(), abs=3e-3)


def test_active_questions_go_where_least_is_known() -> None:
    rng = np.random.default_rng(0)
    wins = np.full((3, 3), 100.0)
    np.fill_diagonal(wins, 0)
    wins[2, 1] = wins[1, 2] = 0
    wins[2, 0] = wins[0, 2] = 0
    assert set(chosen_pairs(wins, 6, rng)) == {(0, 2), (1, 2)}
    assert Counter(chosen_pairs(np.zeros((3, 3)), 9, rng)) == {(0, 1): 3, (0, 2): 3, (1, 2): 3}
    settled = np.array([[0, 60, 20], [0, 0, 20], [20, 20, 0]], dtype=float)
    assert information(posterior(settled))[0, 1] < information(posterior(settled))[0, 2]


def test_an_active_rater_gets_different_questions_with_repeats_and_checks(tmp_path: Path) -> None:
    study = StudyFolder(make_study(tmp_path, replace(SMALL, kind="active")))
    plan = next_questions(study.design, study.design.schedules[0], np.zeros((3, 3)), {}, np.random.default_rng(0))
    questions = asked(study, plan)
    assert Counter(q.kind for q in questions) == {"pair": 6, "catch": 2, "repeat": 2, "identical": 1}
    pairs = [q for q in questions if q.kind == "pair"]
    assert len({(q.image, *sorted((q.left, q.right))) for q in pairs}) == 6
    assert set(Counter(frozenset((q.left, q.right)) for q in pairs).values()) == {2}
    assert all(str(q.repeats) in plan for q in questions if q.kind == "repeat")
    before = Counter(plan)
    later = asked(study, next_questions(study.design, [], np.zeros((3, 3)), before, np.random.default_rng(1)))
    sides = Counter((q.left, q.right) for q in [*pairs, *later] if q.kind == "pair")
    assert all(abs(count - sides[right, left]) <= 1 for (left, right), count in sides.items())
