"""One table, written for a terminal, as Markdown, as LaTeX and as CSV."""

import csv
import io
import re

import pytest
from rich.console import Console

from pdloss.tables.csv_text import csv_text
from pdloss.tables.latex import latex
from pdloss.tables.markdown import escaped, markdown
from pdloss.tables.numerals import number
from pdloss.tables.table import Cell, Table
from pdloss.tables.terminal import show

ODD = "[red]a_b|*c*<i>"
TABLE = Table(
    "scores of a_1",
    ("run", "PSNR ↑", "bias →0"),
    ((ODD, Cell("30.1", bold=True), number(-0.001, 2)), ("two\nlines", Cell("29.0", italic=True, note="±1"), "1.00")),
    remarks=("read so", "as_is"),
)


def shown(table: Table, width: int) -> list[str]:
    out = io.StringIO()
    show([table, table], Console(file=out, width=width))
    return out.getvalue().splitlines()


def test_columns_keep_their_alignment_and_remarks_are_dropped() -> None:
    part = TABLE.columns((0, 2), "part")
    assert (part.title, part.headings, part.left, part.remarks) == ("part", ("run", "bias →0"), 1, ())
    assert [row[1] for row in part.rows] == ["0.00", "1.00"]


def test_every_way_of_writing_a_table_has_every_cell_and_the_same_number() -> None:
    lines = [re.sub(r"\s+", " ", line).strip() for line in shown(TABLE, 80)]
    assert f"{ODD} 30.1 0.00" in lines
    assert lines[lines.index("two 29.0 1.00") + 1] == "lines ±1"
    written = markdown([TABLE]).splitlines()
    assert written[2:] == [
        "| run | PSNR ↑ | bias →0 |", "|---|---:|---:|",
        r"| [red]a\_b\|\*c\*&lt;i> | **30.1** | 0.00 |", "| two lines | *29.0* ±1 | 1.00 |",
        "", "- read so", r"- as\_is",
    ]  # fmt: skip
    text = latex([TABLE])
    assert r"[red]a\_b\textbar{}*c*\textless{}i\textgreater{} & \textbf{30.1} & 0.00 \\" in text
    assert r"two lines & \textit{29.0} & 1.00 \\" in text
    assert "% scores of a_1\n% read so\n% as_is\n\\begin{tabular}{lrr}" in text


def test_what_is_said_of_several_tables_is_said_once_on_the_screen() -> None:
    lines = shown(TABLE, 80)
    assert (lines.count("scores of a_1"), lines.count("read so"), lines.count("as_is")) == (2, 1, 1)


def test_numbers_that_do_not_fit_stand_below_and_each_part_names_the_rows() -> None:
    wide = Table("t", ("run", *(f"metric {i}" for i in range(9))), (("a run", *(f"{i}.00" for i in range(9))),))
    lines = shown(wide, 40)
    assert all(len(line) <= 40 for line in lines)
    assert sum(line.split()[:2] == ["a", "run"] for line in lines) == 2 * 3
    for i in range(9):
        assert sum(f"{i}.00" in line for line in lines) == 2


def test_a_name_that_steers_a_terminal_is_spelled_out() -> None:
    assert any(r"\x1b[2J" in line for line in shown(Table("t", ("", "x"), (("\x1b[2J", "1"),)), 80))


def test_code_in_markdown_stays_code() -> None:
    assert escaped("`a_b` is not a_b") == r"`a_b` is not a\_b"


def test_csv_can_be_read_again_and_refuses_a_value_of_no_column() -> None:
    text = csv_text(["a", "b"], [{"a": 0.1 + 0.2, "b": None}, {"b": "x\n,y"}])
    assert list(csv.DictReader(io.StringIO(text))) == [{"a": "0.30000000000000004", "b": ""}, {"a": "", "b": "x\n,y"}]
    with pytest.raises(ValueError, match="c"):
        csv_text(["a"], [{"c": 1}])
