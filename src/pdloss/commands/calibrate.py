"""``pdloss calibrate``."""

import dataclasses
from typing import TYPE_CHECKING

import tyro
from rich.console import Console
from rich.table import Table

from pdloss.commands.progress import Bar
from pdloss.training.configuration import CalibrateConfig

if TYPE_CHECKING:
    from pdloss.training.calibration import TermPull

_FRESH = (
    "measured on a network with fresh weights, whose pictures are far from restored ones: weights are best calibrated "
    "with --init RUN, a run trained on the pixel term alone"
)


def main(argv: list[str]) -> int:
    """Measures, prints a table and, last, the sum with its weights, ready for ``--loss``; returns 0.

    Raises:
        UserError: If an option, the data or the run cannot be used, or a term cannot be balanced.
    """
    description = "Finds the weights that give each term of a loss its share of the pull on the restored images."
    asked = tyro.cli(CalibrateConfig, args=argv, prog="pdloss calibrate", description=description)
    config = dataclasses.replace(asked, typed=True)
    from pdloss.training.calibration import calibrate

    with Bar("reading photographs") as bar:
        found = calibrate(config, bar.stage)
    console = Console()
    console.print(table(found.terms))
    for note in [*found.notes, *([] if config.init else [f"warning: {_FRESH}"])]:
        console.print(note, highlight=False, markup=False)
    print(found.objective)
    return 0


def table(terms: list["TermPull"]) -> Table:
    """Returns a row for each term."""
    result = Table("term", title="gradient norms at the restored images, before weights")
    for heading in ("median", "10–90 % of batches", "weight", "share"):  # noqa: RUF001
        result.add_column(heading, justify="right")
    for term in terms:
        spread = f"{term.low:.3g} … {term.high:.3g}"
        result.add_row(term.name, f"{term.norm:.3g}", spread, f"{term.weight:.3g}", f"{term.share:.1%}")
    return result
