"""``pdloss compare``: who is better, by how much, and how sure that is."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pdloss.errors import SpecError
from pdloss.files import output, write_text
from pdloss.limits import check_seed
from pdloss.records import write_record

if TYPE_CHECKING:
    from pdloss.comparison import Comparison, MatchedComparison
    from pdloss.comparison import tables as texts

_STYLES = {"better": "green", "worse": "red"}


@dataclass(frozen=True)
class CompareOptions:
    """Compares scored runs with the first of them: differences, their intervals and tests, over the same images."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders scored by `pdloss evaluate`, folders of `pdloss score --out`, or score files."""
    set: str | None = None
    """Which scored set; by default, of those in common, the one written last."""
    matched: str | None = None
    """Compare sweeps of loss weights where this metric is equal, such as psnr; nothing is extrapolated.
    Seeds of one weight are one point."""
    at: float | None = None
    """The level of the matched metric; by default the middle of what every sweep reaches."""
    seed: int = 0
    """Of the resamples."""
    json: Path | None = None
    """File to write every number to."""
    csv: Path | None = None
    """File to write a row for each number to."""
    markdown: Path | None = None
    """File to write the tables to."""
    latex: Path | None = None
    """File to write the tables to, with the rules of the package booktabs."""
    overwrite: bool = False
    """Replace files that stand there already and were not written by pdloss."""


def main(argv: list[str]) -> int:
    """Compares, prints tables and what is to be said of them, and returns 0.

    Raises:
        UserError: If the runs cannot be compared; the message names the difference.
    """
    options = tyro.cli(CompareOptions, args=argv, prog="pdloss compare")
    files = options.json, options.csv, options.markdown, options.latex
    with output(*files, overwrite=options.overwrite, option="file"):
        _compare(options)
    for path in filter(None, files):
        print(path)
    return 0


def _compare(options: CompareOptions) -> None:
    from pdloss.comparison import tables as texts

    comparison = _compared(options)
    console = Console()
    for content in texts.tables(comparison):
        for part in parts(content, console):
            console.print(table(part))
    for remark in texts.remarks(comparison):
        console.print(remark, style="dim", highlight=False, markup=False)
    if options.json:
        write_record(options.json, comparison)
    if options.csv:
        write_text(options.csv, texts.csv_text(comparison))
    if options.markdown:
        write_text(options.markdown, texts.markdown(comparison))
    if options.latex:
        write_text(options.latex, texts.latex(comparison))


def parts(content: "texts.Table", console: Console) -> list["texts.Table"]:
    """Returns the table, or several below each other where its columns do not fit side by side; each names the rows."""
    wide = console.options.update(max_width=10_000)
    result, first = [], content.left
    for last in range(content.left, len(content.headings)):
        tried = table(_columns(content, first, last + 1, fold=True))
        if last > first and console.measure(tried, options=wide).maximum > console.width:
            result.append(_columns(content, first, last))
            first = last
    return [*result, _columns(content, first, len(content.headings))]


def table(content: "texts.Table") -> Table:
    """Returns the cells as a table for the screen."""
    result = Table(title=Text(content.title), title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    for place, heading in enumerate(content.headings):
        if place < content.left:
            result.add_column(Text(heading), overflow="fold")
        else:
            result.add_column(Text(heading), justify="right", no_wrap=True)
    for row in content.rows:
        # Text, not markup: a run may be called [red].
        result.add_row(*map(Text, row), style=_STYLES.get(row[-1]))
    return result


def _columns(content: "texts.Table", first: int, last: int, fold: bool = False) -> "texts.Table":
    """Returns the names and some of the other columns; the title stands over the first, `fold` puts a word a line."""
    from pdloss.comparison import tables as texts

    names = [[name.replace(" ", "\n") if fold else name for name in row[: content.left]] for row in content.rows]
    headings = (*content.headings[: content.left], *content.headings[first:last])
    rows = ((*name, *row[first:last]) for name, row in zip(names, content.rows, strict=True))
    return texts.Table(content.title if first == content.left else "", headings, tuple(rows), content.left)


def _compared(options: CompareOptions) -> "Comparison | MatchedComparison":
    from pdloss.comparison import compare, compare_matched

    check_seed(options.seed)
    if options.matched is not None:
        return compare_matched(options.runs, options.matched, options.set, level=options.at, seed=options.seed)
    if options.at is not None:
        raise SpecError(f"--at {options.at:g} needs the metric to match, such as --matched psnr")
    return compare(options.runs, options.set, seed=options.seed)
