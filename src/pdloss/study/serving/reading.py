"""What a study's database says: answers, raters, and whether it is paused."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from pdloss.errors import RunError
from pdloss.files import write_text
from pdloss.records import write_record
from pdloss.study.answers import write_answers
from pdloss.study.folder import StudyFolder
from pdloss.study.records import Answer, Question
from pdloss.study.serving.store import Store

EXPORTED = ("answers.csv", "answers.json", "raters.csv")
"""What `export` writes."""


class RaterProgress(NamedTuple):
    """One rater so far."""

    rater: str
    parameters: dict[str, str]
    """What the service that sent them calls them, as given."""
    screen: dict[str, float]
    schedule: int
    position: int
    total: int
    begun_at: str
    last_at: str
    finished_at: str | None


def open_store(study: StudyFolder, url: str | None = None) -> Store:
    """Returns the database of a study: the one named, or ``study.sqlite`` in its folder.

    Raises:
        UserError: If it cannot be used.
    """
    return Store(url or f"sqlite:///{study.database}", study.fingerprint)


def open_kept(study: StudyFolder, url: str | None = None) -> Store:
    """Returns the database of a study that has been served; makes none where there is none.

    Raises:
        RunError: If there is none in its folder, and no other is named.
        UserError: If it cannot be used.
    """
    if url is None and not study.database.exists():
        raise RunError(f"{study.path} has no answers yet; pdloss study serve {study.path} collects them")
    return open_store(study, url)


def study_answers(path: Path, url: str | None = None) -> list[Answer]:
    """Returns all answers given to the study in a folder, whether its server is running or not.

    Args:
        path: Folder of the study.
        url: Its database, if it is not the one in the folder.

    Raises:
        RunError: If the folder is no study, or nobody has answered.
        UserError: If the database cannot be used.
    """
    study = StudyFolder(path)
    store = open_kept(study, url)
    try:
        return answers(store, study.questions)
    finally:
        store.close()


def answers(store: Store, questions: Mapping[str, Question]) -> list[Answer]:
    """Returns all answers, by rater in the order of their beginning, and by position."""
    with store.transaction() as connection:
        rows = store.run(
            connection,
            "SELECT a.rater, a.position, a.question, a.choice, a.seconds, a.at FROM answers a "
            "JOIN raters r ON r.id = a.rater ORDER BY r.begun_at, a.rater, a.position",
        )
    return [
        Answer(
            rater=row.rater,
            question=row.question,
            position=row.position,
            kind=asked.kind,
            image=asked.image,
            left=asked.left,
            right=asked.right,
            choice=row.choice,
            seconds=row.seconds,
            at=row.at,
            repeats=asked.repeats,
            expected=asked.expected,
        )
        for row in rows
        for asked in [questions[row.question]]
    ]


def raters_progress(store: Store) -> list[RaterProgress]:
    """Returns all raters in the order of their beginning."""
    with store.transaction() as connection:
        rows = store.run(connection, "SELECT * FROM raters ORDER BY begun_at, id")
    return [
        RaterProgress(
            rater=row.id,
            parameters=msgspec.json.decode(row.parameters, type=dict[str, str]),
            screen=msgspec.json.decode(row.screen, type=dict[str, float]),
            schedule=row.schedule,
            position=row.position,
            total=len(msgspec.json.decode(row.questions)),
            begun_at=row.begun_at,
            last_at=row.last_at,
            finished_at=row.finished_at,
        )
        for row in rows
    ]


def paused(store: Store) -> bool:
    """Returns whether nobody new is let in."""
    with store.transaction() as connection:
        return bool(store.run(connection, "SELECT paused FROM study")[0].paused)


def set_paused(store: Store, value: bool) -> None:
    """Lets nobody new in, or lets them in again; who has begun goes on."""
    with store.writing() as connection:
        store.run(connection, "UPDATE study SET paused = :paused", paused=int(value))


def export(store: Store, study: StudyFolder, folder: Path, raters: str) -> list[Path]:
    """Returns the files written: ``answers.csv``, ``answers.json`` and ``raters.csv``.

    Args:
        store: The database.
        study: What was asked.
        folder: Where the files go; older ones are replaced.
        raters: The table of the raters, as CSV.
    """
    found = answers(store, study.questions)
    write_answers(folder / "answers.csv", found)
    write_record(folder / "answers.json", found)
    write_text(folder / "raters.csv", raters)
    return [folder / name for name in EXPORTED]


def raters_csv(raters: Sequence[RaterProgress], codes: Mapping[str, str]) -> str:
    """Returns a table of the raters, with the parameters that they came with as columns of their own."""
    names = sorted({name for rater in raters for name in rater.parameters})
    text = io.StringIO()
    # By places and not by names: a participant's parameter may be called as another column is.
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rater", *names, "code", "answers", "of", "begun", "last", "finished", "window", "pixel_ratio"])
    for rater in raters:
        screen = rater.screen
        window = f"{screen['width']:g}x{screen['height']:g}" if {"width", "height"} <= screen.keys() else ""
        given = [_cell(rater.parameters.get(name, "")) for name in names]
        times = rater.begun_at, rater.last_at, rater.finished_at or ""
        ratio = screen.get("ratio", "")
        code = codes.get(rater.rater, "")
        writer.writerow([rater.rater, *given, code, rater.position, rater.total, *times, window, ratio])
    return text.getvalue()


def _cell(text: str) -> str:
    """Returns the text so that no spreadsheet takes it for a formula: whoever takes part could have written it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
