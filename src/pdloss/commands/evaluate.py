"""``pdloss evaluate``."""

from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from pdloss.commands.progress import Bar
from pdloss.evaluation import DEFAULT_METRICS, evaluate
from pdloss.records import Metric, Scores, mean_scores


@dataclass(frozen=True)
class EvaluateOptions:
    """Restores a folder of clean photographs, degraded as in training, with each run, and scores the results."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""
    data: Path
    """Folder of clean photographs."""
    metrics: str = ",".join(DEFAULT_METRICS)
    """Metrics, separated by commas."""
    set: str | None = None
    """Name of the set in the run folders; by default the folder's name."""
    degradation: str | None = None
    """By default each run's own."""
    degraded: Path | None = None
    """A frozen set of the same photographs, written by `pdloss degrade`, to restore instead."""
    seed: int = 0
    """With each file's name, chooses its noise."""
    device: str = "auto"
    """Such as cpu or cuda."""
    skip_damaged: bool = False
    """Leave out damaged images instead of refusing the folder."""


def main(argv: list[str]) -> int:
    """Evaluates, prints a table and returns 0.

    Raises:
        UserError: If a run, the data or a metric cannot be used.
    """
    options = tyro.cli(EvaluateOptions, args=argv, prog="pdloss evaluate")
    results = []
    notes: list[str] = []
    for run in options.runs:
        with Bar(f"evaluating {run.name}") as bar:
            evaluation = evaluate(
                run,
                options.data,
                metric_names=[name.strip() for name in options.metrics.split(",") if name.strip()],
                name=options.set,
                degradation=options.degradation,
                degraded=options.degraded,
                seed=options.seed,
                device=options.device,
                skip_damaged=options.skip_damaged,
                progress=bar.update,
            )
        results.append(evaluation.scores)
        notes += [note for note in evaluation.notes if note not in notes]
    console = Console()
    console.print(table(results))
    for metric in results[0].metrics.values():
        console.print(f"{metric.label}: {metric.protocol}", style="dim", highlight=False, markup=False)
    for note in notes:
        console.print(note, highlight=False, markup=False)
    return 0


def table(results: list[Scores]) -> Table:
    """Returns the means over images: a row for the degraded input of each degradation, then one for every run."""
    shown = results[0].metrics
    title = f"{results[0].set}, {len(results[0].images)} images, means"
    result = Table("run", *(_heading(metric) for metric in shown.values()), title=title)
    for column in result.columns[1:]:
        column.justify = "right"
    said = set()
    for scores in results:
        if scores.degradation not in said:
            said.add(scores.degradation)
            means = mean_scores([image.degraded for image in scores.images])
            result.add_row(f"input: {scores.degradation}", *(_number(means.get(name)) for name in shown))
        means = mean_scores([image.restored for image in scores.images])
        result.add_row(scores.run, *(_number(means.get(name)) for name in shown))
    return result


def _heading(metric: Metric) -> str:
    arrow = "↑" if metric.better == "higher" else "↓"
    return f"{metric.label}{f' ({metric.unit})' if metric.unit else ''} {arrow}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) >= 2 else f"{value:.4f}"
