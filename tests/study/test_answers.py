"""Answers from files: our own there and back, anybody's table, and what is wrong with the rest."""

import json
import math
from pathlib import Path

import pytest

from pdloss.errors import UserError
from pdloss.records import write_record
from pdloss.study.answers import check_answers, read_answers, write_answers
from pdloss.study.records import Answer
from pdloss.study.simulation.raters import Population, simulate
from tests.study.made_up import SCORES, made_up_design

DESIGN = made_up_design(raters=3)
ANSWERS = simulate(DESIGN, Population(SCORES))


def table(folder: Path, text: str, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"answers.{suffix}"
    write_answers(path, ANSWERS) if suffix == "csv" else write_record(path, ANSWERS)
    assert read_answers(path) == ANSWERS


def test_five_columns_are_enough(tmp_path: Path) -> None:
    path = table(
        tmp_path, "\ufeffRater, image,left,right,choice,age\nx,1,a,b,Left,33\nx,1,b,b,tie,33\ny,1,b,a,right,\n"
    )
    first, second, third = read_answers(path)
    assert (first.rater, first.image, first.left, first.right, first.choice) == ("x", "1", "a", "b", "left")
    assert (first.kind, second.kind) == ("pair", "identical")
    assert [answer.position for answer in (first, second, third)] == [0, 1, 0]
    assert first.question != second.question
    assert math.isnan(first.seconds)


def test_times_and_kinds_are_taken_where_there_are_some(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "rater,image,left,right,choice,kind,seconds,expected,question,repeats\n"
        "x,1,a,b,left,pair,2.5,,q,\nx,1,target,degraded,left,catch,1,left,c,\nx,1,b,a,right,repeat,3,,r,q\n",
    )
    pair, catch, repeat = read_answers(path)
    assert (pair.seconds, pair.expected, catch.expected, repeat.repeats) == (2.5, None, "left", "q")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column rater, image, left, right, choice.*which holds nothing"),
        ("rater,image,left,choice\n", "has no column right"),
        ("rater,image,left,right,choice\n", "holds no answer"),
        ("rater,image,left,right,choice\nx,1,a,b,middle\n", "answer 1: the choice is 'middle', and must be left"),
        ("rater,image,left,right,choice\nx,1,a,b,left\nx,,a,b,left\n", "answer 2: image is empty"),
        ("rater,image,left,right,choice,seconds\nx,1,a,b,left,soon\n", "answer 1: .*`float`"),
        ("rater,image,left,right,choice,kind\nx,1,a,a,left,pair\n", "both sides are 'a', which is no pair"),
        ("rater,image,left,right,choice,kind\nx,1,a,b,left,pear\n", "answer 1: .*'pear'"),
        ("rater,image,left,right,choice,question\nx,1,a,b,left,q\nx,1,a,b,left,q\n", "'x' answered question 'q' 2 tim"),
        ('rater,image,left,right,choice\nx,1,a,"b,left\n', "is not a CSV file"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_answers(table(tmp_path, text))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read .*none.csv"):
        read_answers(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff")
    with pytest.raises(UserError, match="not a text file in UTF-8"):
        read_answers(tmp_path / "picture.csv")
    with pytest.raises(UserError, match="not a JSON array of answers"):
        read_answers(table(tmp_path, json.dumps({"rater": "x"}), "answers.json"))


def test_answers_to_another_study_are_refused() -> None:
    check_answers(ANSWERS, DESIGN)
    known = {"question": "q", "position": 0, "kind": "pair", "seconds": 1.0, "at": "", "choice": "left", "rater": "x"}
    with pytest.raises(UserError, match="method 'pld', which the design does not know; did you mean 'pdl'"):
        check_answers([Answer(image="image000", left="l1", right="pld", **known)], DESIGN)
    with pytest.raises(UserError, match="about image 'kodim01', which the design does not know"):
        check_answers([Answer(image="kodim01", left="l1", right="pdl", **known)], DESIGN)


ROWS = [["rater", "image", "left", "right", "choice", "seconds"], ["r1", "a", "x", "y", "left", "1.5"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_as_any_spreadsheet_saves_it(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(end.join([*(delimiter.join(row) for row in ROWS), ""]).encode(encoding))
    (answer,) = read_answers(path)
    assert (answer.rater, answer.image, answer.left, answer.choice, answer.seconds) == ("r1", "a", "x", "left", 1.5)


@pytest.mark.parametrize("row", ['r1,a,x,y,left,"1,5"', "r1;a;x;y;left;1,5", "r1\ta\tx\ty\tleft\t 1,5 "])
def test_a_decimal_comma_is_one(tmp_path: Path, row: str) -> None:
    delimiter = row[2]
    assert read_answers(table(tmp_path, f"{delimiter.join(ROWS[0])}\n{row}\n"))[0].seconds == 1.5


def test_a_comma_inside_a_name_does_not_part_columns_that_semicolons_part(tmp_path: Path) -> None:
    (answer,) = read_answers(table(tmp_path, 'rater;"a, b";image;left;right;choice\nr1;0;i,j;x;y;tie\n'))
    assert (answer.image, answer.choice) == ("i,j", "tie")


def test_half_a_letter_of_utf_16_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.csv").write_bytes("rater".encode("utf-16") + b"x")
    with pytest.raises(UserError, match="not a text file in UTF-16.*save it as"):
        read_answers(tmp_path / "cut.csv")
