"""The one table: a title, headings, rows of cells, and what is to be said below; the other modules here write it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cell:
    """Text, and how it is marked; a line break is one on a screen, a space on a page."""

    text: str
    bold: bool = False
    italic: bool = False
    note: str = ""
    """What stands beneath it in small type, such as an interval."""
    style: str = ""
    """Its colour in a terminal, as rich calls it."""


@dataclass(frozen=True)
class Table:
    """Cells under headings; of metrics, `pdloss.tables.numerals.heading` gives the heading with its arrow."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    """A text alone is a cell without marks."""
    left: int = 1
    """How many of the first columns hold words, aligned to the left; the others hold numbers, aligned to the right."""
    remarks: tuple[str, ...] = ()
    """Sentences below: how the numbers are to be read."""

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows as cells."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]

    def columns(self, places: Sequence[int], title: str) -> "Table":
        """Returns a table of some of the columns, without the remarks."""
        headings = tuple(self.headings[place] for place in places)
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        left = sum(place < self.left for place in places)
        return replace(self, title=title, headings=headings, rows=rows, left=left, remarks=())
