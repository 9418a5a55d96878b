"""Texts and tables as editors and spreadsheets of all countries save them."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from pdloss.errors import UserError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_DECIMAL = re.compile(r"\d+,\d+")


def read_text(path: Path) -> str:
    """Returns the text of a file in UTF-8, or in UTF-16 or UTF-32 where a mark of the byte order or its zeros say so.

    Raises:
        UserError: If the file cannot be read, or is in another encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    name = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    if name == "utf-8" and 0 in data[:2] and data[:2] != b"\0\0":
        # The first letter is an ASCII one, and every second byte of such text is zero in UTF-16.
        name = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not a text file in {name.upper().removesuffix('-SIG')}: {error.reason} at byte {error.start}; "
            'save it as "CSV UTF-8", or in an editor as UTF-8'
        ) from None


def table(path: Path, text: str, needed: Sequence[str], numbers: Sequence[str] = ()) -> list[dict[str, str]]:
    """Returns the rows of a table by the names of its columns, in lower case; empty fields are left out.

    Fields are separated by commas, semicolons or tabs: by whichever gives the columns that are needed. Decimal commas
    become points.

    Args:
        path: Where it comes from.
        text: What stands there.
        needed: Columns that there have to be.
        numbers: Columns of numbers, if there are such.

    Raises:
        UserError: If a column is missing, a row has more fields than the first line, or a comma in a number could
            stand for either thousands or decimals.
    """
    # A first line such as "sep=;" is what one spreadsheet tells another.
    said = re.match(r"sep=([,;\t])\r?\n", text)
    text = text[said.end() :] if said else text
    delimiter = said[1] if said else _delimiter(path, text, needed)
    lines = _lines(path, text, delimiter)
    names = [name.strip().lower() for name in lines[0]] if lines else []
    if missing := [name for name in needed if name not in names]:
        raise UserError(
            f"{path} has no column {', '.join(missing)}: answers need {', '.join(needed)} in the first line, "
            f"which holds {', '.join(filter(None, names)) or 'nothing'}, read with {DELIMITERS[delimiter]} between"
        )
    rows = []
    for number, line in enumerate((line for line in lines[1:] if any(line)), start=1):
        if any(line[len(names) :]):
            raise UserError(
                f"{path}, answer {number}: {len(line)} fields under {len(names)} columns, read with "
                f"{DELIMITERS[delimiter]} between; put quotation marks around text or numbers that hold one"
            )
        rows.append({name: value for name, value in zip(names, line, strict=False) if name and value})
    for column in numbers:
        _put_points(path, rows, column, delimiter)
    return rows


def _put_points(path: Path, rows: Sequence[dict[str, str]], column: str, delimiter: str) -> None:
    """Writes decimal commas of a column as points, in place."""
    found = [row[column].strip() for row in rows if "," in row.get(column, "")]
    # Where commas separate fields, numbers have them seldom, and then as often between thousands.
    if delimiter == "," and found and all(map(_THOUSANDS.fullmatch, found)):
        raise UserError(
            f"{path}: the comma in {column} {found[0]!r} may separate decimals or thousands; write a decimal point"
        )
    for row in rows:
        if _DECIMAL.fullmatch(row.get(column, "").strip()):
            row[column] = row[column].strip().replace(",", ".")


def _delimiter(path: Path, text: str, needed: Sequence[str]) -> str:
    """Returns what separates the columns that are needed in the first line; what occurs there most if nothing does."""
    first = text.lstrip("\r\n").partition("\n")[0]

    def columns(delimiter: str) -> tuple[int, int]:
        names = {name.strip().lower() for line in _lines(path, first, delimiter, strict=False) for name in line}
        return len(names & set(needed)), len(names)

    return max(DELIMITERS, key=columns)


def _lines(path: Path, text: str, delimiter: str, strict: bool = True) -> list[list[str]]:
    try:
        return [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict) if line]
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file, read with {DELIMITERS[delimiter]} between: {error}") from None
