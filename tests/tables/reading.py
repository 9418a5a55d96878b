"""Reads tables back."""

import io

from rich.console import Console

from pdloss.tables.table import Table
from pdloss.tables.terminal import show


def texts(table: Table) -> list[tuple[str, ...]]:
    """The rows as text alone."""
    return [tuple(cell.text for cell in row) for row in table.cells]


def shown(table: Table, width: int) -> list[str]:
    """The lines that a terminal shows of a table printed twice."""
    out = io.StringIO()
    show([table, table], Console(file=out, width=width))
    return out.getvalue().splitlines()
