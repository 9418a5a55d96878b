"""``pdloss reproduce``: one of the paper's tables, with ours beside it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from pdloss.commands.sweeping import SlotOptions, carry_out, write_results
from pdloss.errors import UserError
from pdloss.photo_sets.catalogue import SETS
from pdloss.photo_sets.library import default_folder
from pdloss.sweeps.queue import QueuedJob
from pdloss.sweeps.reproduction import RECOMMENDED, TEST_SETS, paper_plan, table_number

if TYPE_CHECKING:
    from pdloss.report.paper_comparison import PaperRows


@dataclass(frozen=True, kw_only=True)
class ReproduceOptions(SlotOptions):
    """Trains and scores the rows of one of the paper's tables; the same command goes on where it was stopped."""

    table: tyro.conf.Positional[str]
    """table2, table4, table6, table7 or table8."""
    budget: str
    """cpu, halfhour or day."""
    data: str
    """Folder of training photographs, with all below it."""
    out: Path
    """Folder for the runs, those of each task in one of their own, and for the tables."""
    test: tuple[str, ...] = TEST_SETS
    """Folders of test photographs, or names of sets that `pdloss data` fetches."""


def main(argv: list[str]) -> int:
    """Trains, scores and writes the page; returns 0, 1 if a run failed, 130 if stopped.

    Raises:
        UserError: If the photographs or the folder cannot be used.
    """
    options = tyro.cli(ReproduceOptions, args=argv, prog="pdloss reproduce")
    plan = paper_plan(options.table, options.budget, options.data, options.out, list(map(folder_of, options.test)))
    status, queue = carry_out(plan, options)
    if status in (0, 1) and any(each.state == "done" and each.job.kind == "run" for each in queue):
        write_results(plan, queue, options.out / options.table, _paper_rows(options.table, queue))
    return status


def _paper_rows(table: str, queue: Sequence[QueuedJob]) -> "PaperRows":
    """Returns what the paper's table says beside scores: rows that are not there, and the one that the paper lacks."""
    from pdloss.report.paper_comparison import Lacking, PaperRows

    runs = [each for each in queue if each.job.kind == "run"]
    lacking = [
        Lacking(each.job.label, f"{each.job.name}: {each.state}, {each.why}") for each in runs if each.state != "done"
    ]
    ours = {each.job.name: "the default of pdloss train" for each in runs if each.job.label.startswith(RECOMMENDED)}
    return PaperRows(table_number(table), lacking, ours)


def folder_of(name: str) -> Path:
    """Returns the folder of test photographs: as typed, or where a public set of that name lies.

    Raises:
        UserError: If there is none.
    """
    if Path(name).is_dir():
        return Path(name)
    if name not in SETS:
        raise UserError(f"--test {name} is no folder, and no public set: {', '.join(SETS)}")
    images = os.environ.get("PDLOSS_IMAGES")
    places = [default_folder(name), *([Path(images) / "valid" / name] if images else [])]
    if found := next((place for place in places if place.is_dir()), None):
        return found
    raise UserError(f"the set {name} is not here; pdloss data get {name} fetches it, or name a folder with --test")
