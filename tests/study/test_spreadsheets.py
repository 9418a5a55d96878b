"""Tables as spreadsheets of all countries save them, and what cannot be told from them."""

import codecs
import json
import math
from pathlib import Path

import pytest

from pdloss.errors import SpecError, UserError
from pdloss.study.answers import read_answers
from pdloss.study.planning.crops import given_places
from pdloss.study.planning.texts import consent
from pdloss.study.spreadsheets import read_text

TABLE = "rater,image,left,right,choice,seconds\nr1,a,x,y,left,1.5\nré,b,x,y,right,2\n"
SAID = [("r1", "a", "left", 1.5), ("ré", "b", "right", 2.0)]


def saved(folder: Path, text: str, encoding: str = "utf-8", mark: bytes = b"") -> Path:
    path = folder / "answers.csv"
    path.write_bytes(mark + text.encode(encoding))
    return path


def said(path: Path) -> list[tuple[str, str, str, float]]:
    return [(answer.rater, answer.image, answer.choice, answer.seconds) for answer in read_answers(path)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_whatever_separates_the_fields_the_answers_are_the_same(tmp_path: Path, delimiter: str, end: str) -> None:
    text = TABLE.replace(",", delimiter).replace("\n", end)
    assert said(saved(tmp_path, text)) == SAID
    if delimiter != ",":
        assert said(saved(tmp_path, text.replace("1.5", "1,5"))) == SAID
    assert said(saved(tmp_path, f"sep={delimiter}{end}{text}")) == SAID


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
    ],
)
def test_every_unicode_encoding_is_read(tmp_path: Path, encoding: str, mark: bytes) -> None:
    assert said(saved(tmp_path, TABLE, encoding, mark)) == SAID
    rows = [dict(zip(TABLE.split("\n")[0].split(","), row.split(","), strict=True)) for row in TABLE.split("\n")[1:3]]
    path = saved(tmp_path, json.dumps([row | {"seconds": float(row["seconds"])} for row in rows]), encoding, mark)
    assert said(path.rename(tmp_path / "answers.json")) == SAID


def test_another_encoding_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'not a text file in UTF-8: .* at byte 57; save it as "CSV UTF-8"'):
        read_answers(saved(tmp_path, TABLE, "cp1252"))


def test_decimal_commas_are_read_where_they_can_be_nothing_else(tmp_path: Path) -> None:
    quoted = TABLE.replace("1.5", '"1,5"')
    assert said(saved(tmp_path, quoted)) == SAID
    assert said(saved(tmp_path, quoted.replace(",2\n", ',"2,000"\n'))) == SAID, "another number shows what it means"
    with pytest.raises(UserError, match=r"the comma in seconds '1,500' may separate decimals or thousands"):
        read_answers(saved(tmp_path, TABLE.replace("1.5", '"1,500"')))
    assert said(saved(tmp_path, TABLE.replace(",", ";").replace("1.5", "1,500")))[0][3] == 1.5
    with pytest.raises(UserError, match="answer 1: .*`float`"):
        read_answers(saved(tmp_path, TABLE.replace(",", ";").replace("1.5", "1.000,5")))


def test_a_decimal_comma_among_commas_is_refused_and_the_delimiter_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="answer 1: 7 fields under 6 columns, read with commas between; put quotation"):
        read_answers(saved(tmp_path, TABLE.replace("1.5", "1,5")))


def test_what_is_missing_is_said_with_the_delimiter_found(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column choice: .* holds rater, image, left, right, read with semicolons"):
        read_answers(saved(tmp_path, "rater;image;left;right\nr;i;a;b\n"))
    with pytest.raises(UserError, match="is not a CSV file, read with tabs between"):
        read_answers(saved(tmp_path, 'rater\timage\tleft\tright\tchoice\nr\ti\ta\t"b\tleft\n'))


def test_empty_rows_at_the_end_are_no_answers(tmp_path: Path) -> None:
    found = read_answers(saved(tmp_path, "rater;image;left;right;choice;;\nr;i;a;b;left;;\n;;;;;;\n\n;;;;;;\n"))
    assert [answer.rater for answer in found] == ["r"]
    assert math.isnan(found[0].seconds)


def test_marks_of_the_byte_order_are_no_part_of_what_the_researcher_wrote(tmp_path: Path) -> None:
    boxes = saved(tmp_path, '{"0801": [3, 4]}', mark=codecs.BOM_UTF8)
    assert given_places(boxes) == {"0801": (3, 4)}
    assert consent(saved(tmp_path, "I agree.", "utf-16-le", codecs.BOM_UTF16_LE)) == "I agree."
    with pytest.raises(SpecError, match="the consent text: .* is not a text file in UTF-8"):
        consent(saved(tmp_path, "é", "latin-1"))
    assert read_text(saved(tmp_path, "")) == ""
