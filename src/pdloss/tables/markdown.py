"""Tables in GitHub's Markdown."""

import re
from collections.abc import Iterable, Sequence

from pdloss.tables.table import Cell, Table


def markdown(tables: Sequence[Table]) -> str:
    """Returns the tables, each with its title above and its remarks below as a list."""
    return "\n".join(_table(table) for table in tables)


def escaped(text: str) -> str:
    r"""Returns the text as one line that Markdown shows as it is, in a cell too; code between backticks stays code.

    Example:
        >>> escaped("a_1|<b>"), escaped("`a_1`")
        ('a\\_1\\|&lt;b>', '`a_1`')
    """
    parts = re.split("(`[^`]*`)", " ".join(text.split()).replace("|", "\\|"))
    return "".join(part if part.startswith("`") else _plain(part) for part in parts)


def _plain(text: str) -> str:
    return re.sub(r"([*_])", r"\\\1", text).replace("<", "&lt;")


def _table(table: Table) -> str:
    rules = ["---"] * table.left + ["---:"] * (len(table.headings) - table.left)
    blocks = [f"**{escaped(table.title)}**"] if table.title else []
    lines = [_line(map(escaped, table.headings)), f"|{'|'.join(rules)}|"]
    blocks.append("\n".join([*lines, *(_line(map(_cell, row)) for row in table.cells)]))
    if table.remarks:
        blocks.append("\n".join(f"- {escaped(remark)}" for remark in table.remarks))
    return "\n\n".join(blocks) + "\n"


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _cell(cell: Cell) -> str:
    marks = "*" * (2 * cell.bold + cell.italic)
    return f"{marks}{escaped(cell.text)}{marks}{cell.note and f' {escaped(cell.note)}'}"
