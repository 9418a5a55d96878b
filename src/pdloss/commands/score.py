"""``pdloss score``."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.progress import Bar
from pdloss.commands.tables import TableOptions, print_tables
from pdloss.evaluation.folders import DEFAULT_METRICS, score


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(TableOptions):
    """Scores anybody's pictures against what they should be; files are paired by name, without the suffix."""

    restored: tyro.conf.Positional[Path]
    """Folder of restored pictures."""
    target: tyro.conf.Positional[Path]
    """Folder of what they should be."""
    metrics: str = ",".join(DEFAULT_METRICS)
    """Metrics, separated by commas."""
    device: str = "auto"
    """Such as cpu or cuda."""
    niqe_model: Path | None = None
    """Model of one's own for `niqe`, a file of `pdloss niqe fit`."""


def main(argv: list[str]) -> int:
    """Scores, prints a table and returns 0.

    Raises:
        UserError: If the folders do not fit each other, or a picture or a metric cannot be used.
    """
    options = tyro.cli(ScoreOptions, args=argv, prog="pdloss score")
    with options.files():
        _score(options)
    return 0


def _score(options: ScoreOptions) -> None:
    with Bar(f"scoring {options.restored.name}") as bar:
        scores, notes = score(
            options.restored,
            options.target,
            metric_names=[name.strip() for name in options.metrics.split(",") if name.strip()],
            device=options.device,
            niqe_model=options.niqe_model,
            progress=bar.update,
        )
    options.write([scores], None, one=True)
    print_tables([scores], None, notes)
