"""Tables in a terminal: as wide as it is, in several parts below each other where they are wider."""

from collections.abc import Iterable, Sequence

from rich import table as drawn
from rich.box import HEAVY_HEAD, SIMPLE
from rich.console import Console
from rich.text import Text

from pdloss.files.spelling import printable
from pdloss.tables.table import Cell, Table


def show(tables: Sequence[Table], console: Console | None = None) -> None:
    """Prints the tables under their titles, then what is to be said of all of them, each sentence once."""
    console = console or Console()
    for table in tables:
        if table.title:
            console.print(Text(printable(table.title), "table.title"))
        for part in parts(table, console):
            console.print(part)
    for remark in dict.fromkeys(remark for table in tables for remark in table.remarks):
        console.print(Text(printable(remark), "dim"))


def say(sentences: Iterable[str], style: str = "") -> None:
    """Prints sentences, each in one line however long, so that paths in it can be copied; none is markup."""
    for sentence in sentences:
        Console().print(Text(printable(sentence), style), soft_wrap=True)


def parts(table: Table, console: Console) -> list[drawn.Table]:
    """Returns the table without its title, or several with some of its numbers each, as many as fit beside the names.

    Args:
        table: What to show.
        console: As wide as the parts may be; words are folded, numbers never.
    """
    names = list(range(table.left))
    result, shown = [], list[int]()
    for place in range(table.left, len(table.headings)):
        if shown and _width(table.columns([*names, *shown, place], ""), console) > console.width:
            result.append(_drawn(table.columns([*names, *shown], "")))
            shown = []
        shown.append(place)
    return [*result, _drawn(table.columns([*names, *shown], ""))]


def _width(table: Table, console: Console) -> int:
    """Returns how wide a table is at least, its names broken at every space."""
    wide = console.options.update(max_width=10_000)
    return console.measure(_drawn(table, break_words=True), options=wide).maximum


def _drawn(table: Table, break_words: bool = False) -> drawn.Table:
    # Words in several columns, which may be folded, need lines between them; numbers do not.
    look = {"box": HEAVY_HEAD} if table.left > 1 else {"box": SIMPLE, "padding": (0, 1, 0, 0)}
    result = drawn.Table(**look)
    for place, heading in enumerate(table.headings):
        if place < table.left:
            result.add_column(Text(heading), overflow="fold")
        else:
            result.add_column(Text(heading), justify="right", no_wrap=True)
    for row in table.cells:
        texts = [_text(cell, break_words and place < table.left) for place, cell in enumerate(row)]
        result.add_row(*texts)
    return result


def _text(cell: Cell, break_words: bool) -> Text:
    """Returns a cell as text, not markup: a run may be called [red]."""
    # Line by line: a break is one on the screen, whatever else steers a terminal is spelled out.
    shown = "\n".join(map(printable, cell.text.split("\n")))
    marks = [cell.style, "bold" if cell.bold else "", "italic" if cell.italic else ""]
    text = Text(shown.replace(" ", "\n") if break_words else shown, " ".join(filter(None, marks)))
    return text.append(f"\n{printable(cell.note)}", "dim") if cell.note else text
