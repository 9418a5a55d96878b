"""What the next rater is asked: a planned schedule, or, of an active design, what tells most now."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from pdloss.study.folder import StudyFolder
from pdloss.study.planning.active import next_questions
from pdloss.study.serving.store import Chooser, Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


def chooser(study: StudyFolder, since: str) -> Chooser:
    """Returns the function that says what a rater is asked.

    The schedule with the fewest raters is given out, the first of equals; whoever neither finished nor answered since
    does not count, so that schedules that were given up are given out again.

    Args:
        study: What can be asked.
        since: UTC, ISO 8601.
    """

    def choose(number: int, store: Store, connection: "Connection") -> tuple[int, Sequence[str]]:
        design = study.design
        rows = store.run(
            connection,
            "SELECT schedule, COUNT(*) AS n FROM raters WHERE finished_at IS NOT NULL OR last_at >= :since "
            "GROUP BY schedule",
            since=since,
        )
        held = {row.schedule: row.n for row in rows}
        schedule = min(range(len(design.schedules)), key=lambda k: (held.get(k, 0), k))
        if design.kind != "active":
            return schedule, design.schedules[schedule]
        wins, asked = _so_far(study, store, connection)
        rng = np.random.default_rng([design.seed, number])
        return schedule, next_questions(design, design.schedules[schedule], wins, asked, rng)

    return choose


def _so_far(study: StudyFolder, store: Store, connection: "Connection") -> tuple[np.ndarray, Counter[str]]:
    """Returns wins of methods over methods, and how often each question was put to a rater."""
    place = {name: k for k, name in enumerate(study.design.methods)}
    wins = np.zeros((len(place), len(place)))
    for row in store.run(connection, "SELECT question, choice, COUNT(*) AS n FROM answers GROUP BY question, choice"):
        question = study.questions[row.question]
        if question.kind == "pair":
            a, b = place[question.left], place[question.right]
            if row.choice == "tie":  # half a win for each
                wins[a, b] += row.n / 2
                wins[b, a] += row.n / 2
            else:
                wins[(a, b) if row.choice == "left" else (b, a)] += row.n
    asked = Counter[str]()
    for row in store.run(connection, "SELECT questions FROM raters"):
        asked.update(msgspec.json.decode(row.questions, type=list[str]))
    return wins, asked
