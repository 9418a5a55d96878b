"""``pdloss reproduce``: one of the paper's tables, with ours beside it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.progress import Bar
from pdloss.commands.sweeping import SlotOptions, carry_out
from pdloss.errors import UserError
from pdloss.photo_sets.catalogue import SETS
from pdloss.photo_sets.library import default_folder
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.reproduction import TEST_SETS, paper_plan


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
    trained = [each.job for each in queue if each.state == "done" and each.job.kind == "run"]
    if status in (0, 1) and trained:
        _report(trained, options.out / options.table, [folder_of(name).name for name in options.test])
    return status


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


def _report(trained: Sequence[Job], out: Path, sets: Sequence[str]) -> None:
    from pdloss.report import write_report

    for name in sets:
        with Bar(f"comparing pictures of {name}") as bar:
            page = write_report([job.folder for job in trained], out / name, name, paper=True, progress=bar.update)
        print(page)
