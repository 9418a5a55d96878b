"""What the researcher's page shows while the study runs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median

import msgspec

from pdloss.records import Record
from pdloss.study.answers import answers_csv
from pdloss.study.records import Answer
from pdloss.study.serving import reading
from pdloss.study.serving.api import ACTIVE, Api


class Overview(Record, frozen=True, kw_only=True):
    """A study so far."""

    title: str
    problem: str | None
    """Why no answer can be saved at the moment."""
    paused: bool
    planned: int
    begun: int
    finished: int
    active: int
    """Raters who are under way and answered within the hour."""
    answers: int
    last_hour: int
    """Answers in it."""
    seconds: float | None
    """Median time for an answer."""
    catch_share: float | None
    """Catch trials answered rightly."""
    methods: list[str]
    preferred: list[list[int]]
    """How often the row was chosen over the column, repeats and catch trials left out."""
    ties: list[list[int]]


def overview(api: Api) -> Overview:
    """Returns the study so far; nobody is excluded yet, and early preferences are no results."""
    design, store = api.study.design, api.store
    answers, raters = reading.answers(store, api.study.questions), reading.raters_progress(store)
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds")
    since = (datetime.now(UTC) - ACTIVE).isoformat(timespec="milliseconds")
    caught = [answer.choice == answer.expected for answer in answers if answer.kind == "catch"]
    preferred, ties = _counted(answers, design.methods)
    return Overview(
        title=design.title,
        problem=store.problem,
        paused=reading.paused(store),
        planned=api.cap,
        begun=len(raters),
        finished=sum(rater.finished_at is not None for rater in raters),
        active=sum(rater.finished_at is None and rater.last_at >= since for rater in raters),
        answers=len(answers),
        last_hour=sum(answer.at >= hour for answer in answers),
        seconds=median(answer.seconds for answer in answers) if answers else None,
        catch_share=sum(caught) / len(caught) if caught else None,
        methods=design.methods,
        preferred=preferred,
        ties=ties,
    )


def exported(api: Api, what: str) -> tuple[bytes, str] | None:
    """Returns a file of the export and its media type; None if there is no such file."""
    answers = reading.answers(api.store, api.study.questions)
    if what == "answers.csv":
        return answers_csv(answers).encode(), "text/csv; charset=utf-8"
    if what == "answers.json":
        return msgspec.json.encode(answers), "application/json"
    if what == "raters.csv":
        return raters_table(api).encode(), "text/csv; charset=utf-8"
    return None


def raters_table(api: Api) -> str:
    """Returns the raters as CSV, with the completion codes of those who finished."""
    raters = reading.raters_progress(api.store)
    return reading.raters_csv(raters, {r.rater: api.code(r.rater) for r in raters if r.finished_at is not None})


def _counted(answers: list[Answer], methods: list[str]) -> tuple[list[list[int]], list[list[int]]]:
    wins, ties = Counter[tuple[str, str]](), Counter[frozenset[str]]()
    for answer in answers:
        if answer.kind == "pair" and answer.choice == "tie":
            ties[frozenset((answer.left, answer.right))] += 1
        elif answer.kind == "pair":
            sides = answer.left, answer.right
            wins[sides if answer.choice == "left" else sides[::-1]] += 1
    return (
        [[wins[a, b] for b in methods] for a in methods],
        [[0 if a == b else ties[frozenset((a, b))] for b in methods] for a in methods],
    )
