"""``pdloss score``."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.progress import Bar
from pdloss.commands.tables import TableOptions, print_tables
from pdloss.errors import SpecError
from pdloss.evaluation.defaults import FOLDER_METRICS
from pdloss.records import Method


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(TableOptions):
    """Scores anybody's pictures against what they should be; files are paired by name, without the suffix.

    With --out, a folder is written that compare, report, figure and study take beside run folders.
    """

    restored: tyro.conf.Positional[Path]
    """Folder of restored pictures."""
    target: tyro.conf.Positional[Path]
    """Folder of what they should be."""
    metrics: str = ",".join(FOLDER_METRICS)
    """Metrics, separated by commas."""
    device: str = "auto"
    """Such as cpu or cuda."""
    niqe_model: Path | None = None
    """Model of one's own for `niqe`, a file of `pdloss niqe fit`."""
    out: Path | None = None
    """Folder for the scores and the pictures, to compare and show them beside runs."""
    name: str | None = None
    """What the method is called; by default as its folder."""
    loss: str | None = None
    """What it was trained with, as in `pdloss train --loss`, or in words; by default unknown."""
    degradation: str | None = None
    """What it restored from, as the runs beside it say it, or in words; by default unknown."""


def main(argv: list[str]) -> int:
    """Scores, prints a table and returns 0.

    Raises:
        UserError: If the folders do not fit each other, or a picture or a metric cannot be used.
    """
    options = tyro.cli(ScoreOptions, args=argv, prog="pdloss score")
    name = options.restored.resolve().name if options.name is None else options.name.strip()
    if not name:
        raise SpecError("--name is empty; say what the method is called, such as bsrgan")
    with options.files():
        _score(options, name)
    if options.out:
        print(options.out)
    return 0


def _score(options: ScoreOptions, name: str) -> None:
    from pdloss.evaluation.folders import score

    said = options.name is not None or options.loss is not None or options.degradation is not None
    with Bar(f"scoring {options.restored.name}") as bar:
        scores, notes = score(
            options.restored,
            options.target,
            metric_names=[name.strip() for name in options.metrics.split(",") if name.strip()],
            device=options.device,
            niqe_model=options.niqe_model,
            method=Method(name=name, loss=options.loss, degradation=options.degradation) if said else None,
            out=options.out,
            progress=bar.update,
        )
    options.write([scores], None, one=True)
    print_tables([scores], None, notes)
