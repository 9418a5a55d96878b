"""``pdloss reproduce``: one of the paper's tables, with ours beside it, or its figure 2."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from pdloss.commands.progress import Bar
from pdloss.commands.sweeping import SlotOptions, carry_out, write_results
from pdloss.errors import ImageError, SpecError, UserError
from pdloss.files import output, write_text
from pdloss.photo_sets.catalogue import SETS
from pdloss.photo_sets.library import default_folder
from pdloss.specs import check_known
from pdloss.sweeps.queue import QueuedJob
from pdloss.sweeps.reproduction import JUDGED, RECOMMENDED, TEST_SETS, TRAINED, paper_plan, shown_name, table_number
from pdloss.tables import terminal
from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown
from pdloss.training.recipes import BUDGETS

if TYPE_CHECKING:
    from pdloss.report.paper_comparison import PaperRows

PHOTOGRAPHS = dict(zip(BUDGETS, (4, 24, 100), strict=True))
"""How many figure 2 looks at."""
FEATURES, FACTOR, SIDE = "vgg16.relu4_3", 4, 512
"""Of figure 2: what sees them, how many times smaller they are made, and the pixels of a side."""


@dataclass(frozen=True, kw_only=True)
class ReproduceOptions(SlotOptions):
    """Trains and scores the rows of one of the paper's tables; the same command goes on where it was stopped."""

    table: tyro.conf.Positional[str]
    """table2, table4, table6, table7 or table8, whose rows are trained; table1, what the losses cost here; table3 or
    table5, the paper's preferences analysed, and the same study of our runs designed; figure2, histograms of features
    that KL and W1 see differently."""
    budget: str = "cpu"
    """cpu, halfhour or day; of figure2, how many photographs: 4, 24 or 100."""
    data: str | None = None
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
    check_known("table", options.table, ("table1", *TRAINED, *JUDGED, "figure2"))
    check_known("budget", options.budget, BUDGETS)
    if options.table == "table1":
        return _costs(options.out / "table1")
    if options.table in JUDGED:
        return _preferences(options.table, options.out)
    if options.table == "figure2":
        return _histograms(options)
    if options.data is None:
        raise SpecError(f"{options.table} is trained: name a folder of photographs with --data")
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
        Lacking(shown_name(each.job.label), f"{shown_name(each.job.name)}: {each.state}, {each.why}")
        for each in runs
        if each.state != "done"
    ]
    ours = {each.job.name: "the default of pdloss train" for each in runs if each.job.label.startswith(RECOMMENDED)}
    return PaperRows(table_number(table), lacking, ours)


def _costs(out: Path) -> int:
    """Measures what training with each of the paper's losses costs here, on its features."""
    from pdloss.commands import bench

    return bench.main(["losses", "--features", "vgg16.relu4_3", "--out", str(out / "losses.json"), "--overwrite"])


def _preferences(table: str, out: Path) -> int:
    """Prints and writes the analysis of the paper's own preferences, and designs the study of our runs."""
    from pdloss.sweeps.preferences import designed_study, preference_table

    made = preference_table(table)
    terminal.show([made])
    files = [out / table / name for name in ("preferences.md", "preferences.tex")]
    with output(*files):
        for file, text in zip(files, (markdown([made]), latex([made])), strict=True):
            write_text(file, text)
    status, said = designed_study(table, out, out / table / "study")
    terminal.say([*map(str, files), said])
    return status


def _histograms(options: ReproduceOptions) -> int:
    """Writes figure 2 of photographs of the test sets, on the paper's features."""
    from pdloss.images import read_image
    from pdloss.picture_files import list_images
    from pdloss.probing.histogram_page import write_result
    from pdloss.probing.histograms import middle, seen

    files = [file for name in options.test for file in list_images(folder_of(name))][: PHOTOGRAPHS[options.budget]]
    found, left_out = [], []
    with Bar("looking at photographs") as bar:
        for done, file in enumerate(files, start=1):
            try:
                found.append(seen(f"{file.parent.name}/{file.stem}", middle(read_image(file), SIDE), FEATURES, FACTOR))
            except ImageError as error:
                left_out.append(f"left out: {error}")
            bar.update(done, len(files), file.stem)
    if not found:
        raise ImageError("; ".join(left_out[:3]))
    tests = [] if options.test == TEST_SETS else ["--test", *(Path(name).name for name in options.test)]
    said = shlex.join(["pdloss", "reproduce", "figure2", "--budget", options.budget, "--out", "OUT", *tests])
    files = write_result(options.out / "figure2", found, FEATURES, FACTOR, said)
    terminal.say([*left_out, *map(str, files)])
    return 0


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
