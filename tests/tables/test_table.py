"""One table, written for a terminal, as Markdown, as LaTeX and as CSV."""

import re

from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown
from pdloss.tables.numerals import number
from pdloss.tables.table import Cell, Table
from tests.tables.reading import shown

ODD = "[red]a_b|*c*<i>"
TABLE = Table(
    "scores of a_1",
    ("run", "PSNR ↑", "bias →0"),
    ((ODD, Cell("30.1", bold=True), number(-0.001, 2)), ("two\nlines", Cell("29.0", italic=True, note="±1"), "1.00")),
    remarks=("read so", "as_is"),
)


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
