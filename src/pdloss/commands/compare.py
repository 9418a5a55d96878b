"""``pdloss compare``: who is better, by how much, and how sure that is."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from pdloss.errors import SpecError
from pdloss.files import output, write_text
from pdloss.files.options import OverwriteOptions
from pdloss.limits import check_seed
from pdloss.records import write_record
from pdloss.tables import terminal
from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown

if TYPE_CHECKING:
    from pdloss.comparison import Comparison, MatchedComparison


@dataclass(frozen=True)
class CompareOptions(OverwriteOptions):
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
    tables = texts.tables(comparison)
    terminal.show(tables)
    if options.json:
        write_record(options.json, comparison)
    if options.csv:
        write_text(options.csv, texts.numbers_csv(comparison))
    if options.markdown:
        write_text(options.markdown, markdown(tables))
    if options.latex:
        write_text(options.latex, latex(tables))


def _compared(options: CompareOptions) -> "Comparison | MatchedComparison":
    from pdloss.comparison import compare, compare_matched

    check_seed(options.seed)
    if options.matched is not None:
        return compare_matched(options.runs, options.matched, options.set, level=options.at, seed=options.seed)
    if options.at is not None:
        raise SpecError(f"--at {options.at:g} needs the metric to match, such as --matched psnr")
    return compare(options.runs, options.set, seed=options.seed)
