"""``pdloss evaluate``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro
from msgspec.structs import replace

from pdloss.commands.progress import Bar
from pdloss.commands.tables import TableOptions, print_tables
from pdloss.errors import SpecError
from pdloss.evaluation.defaults import CONSISTENCY, DEFAULT_METRICS, Demosaic
from pdloss.specs.options import TrustOptions


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(TableOptions, TrustOptions):
    """Restores folders of clean photographs, degraded as in training, with each run, and scores the results."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""
    data: tuple[Path, ...]
    """Folders of clean photographs, or patterns such as "GOPRO/test/*/sharp"."""
    metrics: str = ",".join(DEFAULT_METRICS)
    """Metrics, separated by commas; `consistency` stands for those that compare with the input."""
    set: tuple[str, ...] = ()
    """Names of the sets in the run folders, one for each of --data; by default the folders' names."""
    degradation: str | None = None
    """By default each run's own."""
    degraded: tuple[Path, ...] = ()
    """What to restore instead, one for each of --data: frozen sets written by `pdloss degrade`, or folders or patterns
    of degraded photographs, such as "GOPRO/test/*/blur"."""
    seed: int = 0
    """With each file's name, chooses its noise."""
    device: str = "auto"
    """Such as cpu or cuda."""
    demosaic: Demosaic = "malvar"
    """How mosaics are made pictures, to be scored as the input."""
    niqe_model: Path | None = None
    """Model of one's own for `niqe`, a file of `pdloss niqe fit`."""
    skip_damaged: bool = False
    """Leave out damaged images instead of refusing the folder."""
    again: bool = False
    """Restore and score anew what is scored already and unchanged."""


def main(argv: list[str]) -> int:
    """Evaluates, prints a table for each set and returns 0.

    Raises:
        UserError: If a run, the data or a metric cannot be used.
    """
    options = tyro.cli(EvaluateOptions, args=argv, prog="pdloss evaluate")
    with options.files():
        _evaluate(options)
    return 0


def _evaluate(options: EvaluateOptions) -> None:
    from pdloss.comparison.scored import shortest_ends
    from pdloss.evaluation import Evaluator, consistency

    names = [name.strip() for name in options.metrics.split(",") if name.strip()]
    _check_runs(options.runs)
    sets = _sets(options)
    evaluator = Evaluator(
        names,
        degradation=options.degradation,
        seed=options.seed,
        device=options.device,
        skip_damaged=options.skip_damaged,
        again=options.again,
        niqe_model=options.niqe_model,
        demosaic=options.demosaic,
        trusted=options.received,
    )
    results, notes = [], []
    called = shortest_ends([run.resolve() for run in options.runs])
    for data, degraded, name in sets:
        what = called[0] if len(called) == 1 else f"{len(called)} runs"
        with Bar(f"evaluating {what} on {name}") as bar:
            found = evaluator.together(options.runs, data, degraded=degraded, name=name, progress=bar.update)
        for evaluation, short in zip(found, called, strict=True):
            results.append(replace(evaluation.scores, run=short))
            notes += evaluation.notes
    shown = [*names, *consistency.METRICS] if CONSISTENCY in names else names
    options.write(results, shown)
    print_tables(results, shown, notes)


def _check_runs(runs: Sequence[Path]) -> None:
    """Refuses what is no trained run, before hours are spent on those before it."""
    from pdloss.runs import RunFolder

    if not runs:
        raise SpecError("name at least one run folder, before --data")
    for run in runs:
        folder = RunFolder(run)
        folder.record()
        folder.latest_weights()
    places = [run.resolve() for run in runs]
    if twice := next((run for run, place in zip(runs, places, strict=True) if places.count(place) > 1), None):
        raise SpecError(f"{twice} was given twice; name each run once")


def _sets(options: EvaluateOptions) -> list[tuple[Path, Path | None, str]]:
    """Returns the folders of photographs, each with its frozen set and its name."""
    from pdloss.picture_files.patterns import set_name

    for option, given in (("degraded", options.degraded), ("set", options.set)):
        if given and len(given) != len(options.data):
            raise SpecError(f"--{option} needs one for each of the {len(options.data)} of --data, got {len(given)}")
    names = options.set or tuple(map(set_name, options.data))
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SpecError(f"two sets would both be kept as {twice!r} in the run folders; name them apart with --set")
    return list(zip(options.data, options.degraded or (None,) * len(options.data), names, strict=True))
