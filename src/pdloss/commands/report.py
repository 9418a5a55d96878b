"""``pdloss report``: scored runs side by side on one page."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.progress import Bar
from pdloss.files.options import OverwriteOptions


@dataclass(frozen=True)
class ReportOptions(OverwriteOptions):
    """Compares scored runs on one HTML page that needs nothing beside it."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders, scored by `pdloss evaluate`; differences are against the first."""
    out: Path
    """Folder for the page, index.html."""
    set: str | None = None
    """Which scored set to show; by default, of those in common, the one written last."""
    paper: bool = False
    """Put the paper's own tables of the task beside ours, with the differences in protocol."""
    export: Path | None = None
    """Folder for every figure as SVG and PNG, and every table as LaTeX and CSV."""


def main(argv: list[str]) -> int:
    """Writes the page, prints its path and returns 0.

    Raises:
        UserError: If the runs cannot be compared or the page cannot be written.
    """
    options = tyro.cli(ReportOptions, args=argv, prog="pdloss report")
    from pdloss.report import write_report

    with Bar("comparing pictures") as bar:
        page = write_report(
            options.runs,
            options.out,
            options.set,
            paper=options.paper,
            export_to=options.export,
            overwrite=options.overwrite,
            progress=bar.update,
        )
    print(page)
    if options.export:
        print(options.export)
    return 0
