"""Answers read from files: our own export, and anybody's table of raters, images, sides and choices."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from pdloss.errors import UserError
from pdloss.files import write_text
from pdloss.limits import check_depth
from pdloss.specs import suggestion
from pdloss.study.records import Answer, Kind, StudyDesign
from pdloss.study.spreadsheets import read_text, table
from pdloss.tables.csv_text import csv_text

NEEDED = ("rater", "image", "left", "right", "choice")
"""The columns that no table of answers can do without."""

_CHOICES = ("left", "right", "tie")
_DECIMAL_COMMA = re.compile(r"\s*\d+,\d+\s*")
_COLUMNS = Answer.__struct_fields__


def read_answers(path: Path) -> list[Answer]:
    """Returns the answers of a CSV file, or of a JSON file that holds an array of them.

    Columns may be parted by commas, semicolons or tabs, and seconds have a decimal comma: as spreadsheets write them.
    Only ``rater, image, left, right, choice`` are needed. Without a column ``question`` every row is a question of its
    own; without ``kind``, rows are comparisons of two methods, or identical pairs where both sides are the same;
    without ``seconds`` the time is unknown (nan). Other columns are left out.

    Raises:
        UserError: If the file is missing or is no table, a column is missing, a value makes no sense, or one rater
            answered a question twice; the message names the row.
    """
    text = read_text(path)
    rows: Sequence[Mapping[str, Any]] = (
        _json_rows(path, text) if path.suffix.lower() == ".json" else table(path, text, NEEDED, ("seconds",))
    )
    if not rows:
        raise UserError(f"{path} holds no answer")
    seen: Counter[str] = Counter()
    answers = []
    for number, row in enumerate(rows, start=1):
        answer = _answer(row, f"{path}, answer {number}", number, seen[str(row.get("rater"))])
        seen[answer.rater] += 1
        answers.append(answer)
    _refuse_twice(path, answers)
    return answers


def write_answers(path: Path, answers: Sequence[Answer]) -> None:
    """Writes the answers as `answers_csv`, whole or not at all."""
    write_text(path, answers_csv(answers))


def answers_csv(answers: Sequence[Answer]) -> str:
    """Returns the answers as CSV, a row for each; what there is not stays empty."""
    return csv_text(_COLUMNS, map(msgspec.structs.asdict, answers))


def check_answers(answers: Sequence[Answer], design: StudyDesign) -> None:
    """Refuses answers to another study.

    Raises:
        UserError: If one names an image or a method that the design does not know.
    """
    images = {image.id for image in design.images}
    for answer in answers:
        if answer.image not in images:
            raise UserError(
                f"rater {answer.rater!r} answered about image {answer.image!r}, which the design does not know; "
                "are these the answers of another study?"
            )
        for method in (answer.left, answer.right):
            if answer.kind in ("pair", "repeat") and method not in design.methods:
                raise UserError(
                    f"rater {answer.rater!r} saw method {method!r}, which the design does not know"
                    f"{suggestion(method, design.methods)}; are these the answers of another study?"
                )


def _json_rows(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        check_depth(text.encode())
        rows = msgspec.json.decode(text.encode(), type=list[dict[str, Any]])
    except ValueError as error:
        raise UserError(f"{path} is not a JSON array of answers: {error}") from None
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _answer(row: Mapping[str, Any], where: str, number: int, position: int) -> Answer:
    if missing := [name for name in NEEDED if name not in row]:
        raise UserError(f"{where}: {', '.join(missing)} is empty")
    choice = str(row["choice"]).strip().lower()
    if choice not in _CHOICES:
        raise UserError(f"{where}: the choice is {row['choice']!r}, and must be left, right or tie")
    known = {name: value for name, value in row.items() if name in _COLUMNS}
    for name in ("rater", "image", "left", "right", "question", "repeats"):
        if name in known:
            known[name] = str(known[name]).strip()
    if _DECIMAL_COMMA.fullmatch(str(known.get("seconds", ""))):
        known["seconds"] = known["seconds"].strip().replace(",", ".")
    usual = {
        "question": f"row {number}",
        "position": position,
        "kind": "identical" if known["left"] == known["right"] else "pair",
        "seconds": math.nan,
        "at": "",
    }
    try:
        answer = msgspec.convert(usual | known | {"choice": choice}, Answer, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"{where}: {error}") from None
    if answer.kind in ("pair", "repeat") and answer.left == answer.right:
        raise UserError(
            f"{where}: both sides are {answer.left!r}, which is no {answer.kind}; its kind is identical, "
            f"one of {', '.join(get_args(Kind))}"
        )
    return answer


def _refuse_twice(path: Path, answers: Sequence[Answer]) -> None:
    (key, times), *_ = Counter((answer.rater, answer.question) for answer in answers).most_common(1)
    if times > 1:
        raise UserError(
            f"{path}: rater {key[0]!r} answered question {key[1]!r} {times} times; keep one of these rows, or leave "
            "out the column 'question' if it does not tell questions apart"
        )
