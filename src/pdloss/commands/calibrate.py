"""``pdloss calibrate``."""

import dataclasses
from typing import TYPE_CHECKING

import tyro

from pdloss.commands.progress import Bar
from pdloss.models.shelf import first_weights
from pdloss.tables import terminal
from pdloss.tables.numerals import DASH
from pdloss.tables.table import Table
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
    config = dataclasses.replace(asked, typed=True, init=first_weights(asked.init))
    from pdloss.training.calibration import calibrate

    with Bar("reading photographs") as bar:
        found = calibrate(config, bar.stage)
    terminal.show([table(found.terms)])
    terminal.say([*found.notes, *([] if config.init else [f"warning: {_FRESH}"])])
    print(found.objective)
    return 0


def table(terms: list["TermPull"]) -> Table:
    """Returns a row for each term."""
    rows = tuple(
        (t.name, f"{t.norm:.3g}", f"{t.low:.3g} … {t.high:.3g}", f"{t.weight:.3g}", f"{t.share:.1%}") for t in terms
    )
    headings = ("term", "median", f"10{DASH}90 % of batches", "weight", "share")
    return Table("gradient norms at the restored images, before weights", headings, rows)
