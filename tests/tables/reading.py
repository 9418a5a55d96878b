"""Reads tables back."""

from pdloss.tables.table import Table


def texts(table: Table) -> list[tuple[str, ...]]:
    """The rows as text alone."""
    return [tuple(cell.text for cell in row) for row in table.cells]
