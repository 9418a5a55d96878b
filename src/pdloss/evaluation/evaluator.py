"""Evaluation: restores a folder of photographs with a run's network, and scores it; only files remain."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from pdloss.assets import sha256
from pdloss.datasets import OwnPairs, Photographs, leak_warning, same_pictures
from pdloss.datasets.prefetch import ThreadedCalls
from pdloss.devices import chosen_device
from pdloss.errors import RunError
from pdloss.evaluation import consistency, scoring
from pdloss.evaluation.defaults import CONSISTENCY, DEFAULT_METRICS, Demosaic
from pdloss.evaluation.frozen_sets import is_frozen
from pdloss.evaluation.inputs import Inputs, contents_sha256
from pdloss.evaluation.pictures import Restored, Stored
from pdloss.evaluation.reuse import joined, lacking, reusable, scores_file
from pdloss.evaluation.scoring import Measures
from pdloss.evaluation.together import Known, Task, restore, score
from pdloss.files.spelling import spelled
from pdloss.files.tensors import unverified
from pdloss.limits import check_seed
from pdloss.memory import enough_memory
from pdloss.picture_files import written_names
from pdloss.picture_files.patterns import set_name
from pdloss.records import Scores, write_record
from pdloss.runs import RunFolder
from pdloss.specs.trust import RECEIVED, TYPED, Trust

_LESS = (
    "whole pictures go through the network and the metrics; leave out the largest or cut them smaller, choose fewer "
    "--metrics, or use --device cpu where the processor has more memory"
)


AT_ONCE = 6
"""Runs whose pictures are scored together: a kill loses the scores of so many at most, of which the pictures stay."""


class Evaluation(NamedTuple):
    """The scores, and what was left out of them and why."""

    scores: Scores
    notes: list[str]


def evaluate(
    run: Path,
    data: Path,
    *,
    metric_names: Sequence[str] = DEFAULT_METRICS,
    name: str | None = None,
    degradation: str | None = None,
    degraded: Path | None = None,
    seed: int = 0,
    device: str = "auto",
    skip_damaged: bool = False,
    again: bool = False,
    niqe_model: Path | None = None,
    demosaic: Demosaic = "malvar",
    trusted: Trust = RECEIVED,
    progress: Callable[[int, int], object] | None = None,
) -> Evaluation:
    """Restores every photograph of a folder and writes ``scores/<set>.json``, the restored and the degraded PNGs.

    The network runs in float32. Scores are taken after rounding to 8 bits, as the PNGs hold them. What stands there of
    the same weights, photographs and degradation is kept: only metrics that are new are computed, from the PNGs.

    Args:
        run: Run folder.
        data: Folder of clean photographs, or a pattern such as ``GOPRO/test/*/sharp``.
        metric_names: Names from `pdloss.metrics.METRICS` or `pdloss.metrics.sets.SET_METRICS`, or ``consistency``.
        name: Name of the set in the run folder; by default the folder's.
        degradation: By default the run's own.
        degraded: What to restore instead: a frozen set of the same photographs (``pdloss degrade``), or a folder or
            pattern of degraded ones, paired as `pdloss.datasets.OwnPairs` says.
        seed: With each file's name, chooses its noise.
        device: As in training.
        skip_damaged: Leave out damaged images instead of refusing the folder.
        again: Restore and score anew what is scored already.
        niqe_model: File with a model of one's own for `niqe`, as ``pdloss niqe fit`` writes it.
        demosaic: How mosaics are made pictures, to be scored as the input.
        trusted: Which modules the run, its weights and the frozen set may name; `degradation` counts as typed.
        progress: Told of every image done.

    Raises:
        UserError: If the run, the data or a metric cannot be used.
    """
    evaluator = Evaluator(
        metric_names,
        degradation=degradation,
        seed=seed,
        device=device,
        skip_damaged=skip_damaged,
        again=again,
        niqe_model=niqe_model,
        demosaic=demosaic,
        trusted=trusted,
    )
    return evaluator(run, data, degraded=degraded, name=name, progress=progress)


class Evaluator:
    """Evaluates runs one after the other; weights of metrics are loaded once, each input is scored once.

    Args:
        metric_names: As in `evaluate`.
        degradation: As in `evaluate`.
        seed: As in `evaluate`.
        device: As in `evaluate`.
        skip_damaged: As in `evaluate`.
        again: As in `evaluate`.
        niqe_model: As in `evaluate`.
        demosaic: As in `evaluate`.
        trusted: As in `evaluate`.

    Raises:
        SpecError: If a metric's name is unknown, or the device cannot be used.
    """

    def __init__(
        self,
        metric_names: Sequence[str] = DEFAULT_METRICS,
        *,
        degradation: str | None = None,
        seed: int = 0,
        device: str = "auto",
        skip_damaged: bool = False,
        again: bool = False,
        niqe_model: Path | None = None,
        demosaic: Demosaic = "malvar",
        trusted: Trust = RECEIVED,
    ) -> None:
        scoring.check_names(metric_names, [CONSISTENCY])
        check_seed(seed)
        self.device, self.seed, self.degradation, self.demosaic = chosen_device(device), seed, degradation, demosaic
        self.trusted = trusted
        self.skip_damaged, self.again, self.consistency = skip_damaged, again, CONSISTENCY in metric_names
        named = [name for name in metric_names if name != CONSISTENCY]
        self.measures, self.notes = scoring.ready(named, self.device, niqe_model)
        self._read: dict[tuple[Path, Path | None], tuple[Photographs | OwnPairs, str]] = {}
        self._known: dict[tuple[str | None, str], Known] = {}

    def __call__(
        self,
        run: Path,
        data: Path,
        *,
        degraded: Path | None = None,
        name: str | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Evaluation:
        """Evaluates one run on one folder, as `evaluate` says.

        Raises:
            UserError: If the run or the data cannot be used.
        """
        return self.together([run], data, degraded=degraded, name=name, progress=progress)[0]

    def together(
        self,
        runs: Sequence[Path],
        data: Path,
        *,
        degraded: Path | None = None,
        name: str | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> list[Evaluation]:
        """Evaluates runs on one folder: metrics look at each target once for several of them.

        `AT_ONCE` are restored and then scored at a time, after which their scores are written.

        Raises:
            UserError: If a run or the data cannot be used.
        """
        done = []
        for first in range(0, len(runs), AT_ONCE):
            part = runs[first : first + AT_ONCE]
            shown = None if progress is None else partial(_overall, progress, first, len(part), len(runs))
            done += self._at_once(part, data, degraded, name, shown)
        return done

    def _at_once(
        self,
        runs: Sequence[Path],
        data: Path,
        degraded: Path | None,
        name: str | None,
        progress: Callable[[int, int], object] | None,
    ) -> list[Evaluation]:
        started = time.monotonic()
        tasks = [self._task(run, data, degraded, name) for run in runs]
        todo = [task for task in tasks if task.measures.records]
        several = [task for task in todo if task.before is None] if len(todo) > 1 else []
        tick = _Ticks(progress, sum(len(task.inputs) for task in todo))
        called = ", ".join(task.asked.run for task in todo)
        with enough_memory(f"evaluating {called} on {name or set_name(data)}", _LESS), ThreadedCalls() as behind:
            for task in todo:
                where = task.folder, task.asked.set, task.inputs.photographs.names, self.device
                task.pictures = Restored(*where, behind, self.trusted) if task.before is None else Stored(*where)
                if task in several:
                    restore(task, partial(tick, 0.5))
                    task.pictures = Stored(*where)
            for group in _alike(todo):
                known = self._known.setdefault(group[0].alike, Known({}, {}))
                score(group, known, lambda task: tick(0.5 if task in several else 1.0))
        seconds = (time.monotonic() - started) / max(1, len(todo))
        return [_written(task, seconds) for task in tasks]

    def _task(self, run: Path, data: Path, degraded: Path | None, name: str | None) -> Task:
        """Returns what is to be done for one run.

        Raises:
            UserError: If the run or the data cannot be used.
        """
        folder = RunFolder(run)
        scores_file(folder, name or data.resolve().name)  # refuses now what is no name
        frozen = degraded if degraded is not None and is_frozen(degraded) else None
        photographs, contents = self._photographs(data, None if frozen else degraded)
        own = None if degraded else _own_degradation(folder, self.degradation)
        whose = TYPED if self.degradation else self.trusted
        inputs = Inputs(photographs, self.degradation or own, self.seed, frozen, self.demosaic, whose)
        measures, notes = self._usable(photographs, inputs)
        if leaks := same_pictures(folder.photographs(), photographs.hashes):
            notes.insert(0, f"warning: {leak_warning(leaks, data)}")
        notes += [note for note in (unverified(folder.latest_weights()[1]),) if note]
        asked = _asked(folder, name or set_name(data), inputs, measures, contents)
        before = None if self.again else reusable(folder, asked, photographs.names)
        if before is not None:
            measures = measures.only(lacking(before, asked))
            there = f"{asked.run} on {asked.set}: scored already and unchanged"
            computed = f"only {', '.join(measures.records)} computed, of the pictures on disk"
            notes.append(f"{there}; {computed if measures.records else '--again scores it anew'}")
        return Task(folder, inputs, measures, asked, before, notes)

    def _photographs(self, data: Path, degraded: Path | None) -> tuple[Photographs | OwnPairs, str]:
        """Returns the photographs of a folder, or pairs, checked, and the hash of the targets' contents."""
        if (data, degraded) not in self._read:
            photographs = (
                Photographs(data, split="valid", skip_damaged=self.skip_damaged)
                if degraded is None
                else OwnPairs(data, degraded, split="valid", skip_damaged=self.skip_damaged)
            )
            written_names(photographs.names)  # refused before hours are spent
            self._read[data, degraded] = photographs, contents_sha256(photographs)
        return self._read[data, degraded]

    def _usable(self, photographs: Photographs | OwnPairs, inputs: Inputs) -> tuple[Measures, list[str]]:
        """Returns the metrics that these inputs can be scored by, and what must be said."""
        side = photographs.smallest_side
        measures, notes = self.measures.fitting(side, len(photographs))
        if self.consistency:
            found = consistency.measures(inputs.chain)
            least = {name: consistency.MINIMUM_SIDE.get(name, 1) for name in found}
            notes += [scoring.left_out(name, least[name], side) for name in found if least[name] > side]
            if not found:
                notes.append(f"{CONSISTENCY} left out: there is no such score for {inputs.chain}")
            measures = measures.also({}, {name: consistency.METRICS[name] for name in found if least[name] <= side})
        scoring.refuse_nothing(measures, [*self.notes, *notes])
        notes += [f"{file} left out: {reason}" for file, reason in photographs.skipped.items()]
        return measures, [*self.notes, *notes, *photographs.notes]


def _own_degradation(folder: RunFolder, other: str | None) -> str:
    """Returns what a run was trained to undo.

    Raises:
        RunError: If it was trained on pairs, whose degradation nobody can repeat, and no other is given.
    """
    record = folder.record()
    if record.degraded is not None and other is None:
        raise RunError(
            f"{folder.path} was trained on the pairs of {record.degraded}: name the degraded photographs to restore "
            "with --degraded, or a degradation with --degradation"
        )
    return record.degradation


def _asked(folder: RunFolder, name: str, inputs: Inputs, measures: Measures, contents: str) -> Scores:
    """Returns the scores that are asked for, still without values."""
    step, weights = folder.latest_weights()
    return Scores(
        run=spelled(folder.path.resolve().name),
        set=name,
        targets=spelled(inputs.photographs.folder.resolve()),
        step=step,
        degradation=inputs.description,
        metrics={name: record for name, record in measures.records.items() if name not in measures.whole},
        images=[],
        seconds=0,
        set_metrics={name: measures.records[name] for name in measures.whole},
        weights_sha256=sha256(weights),
        targets_sha256=contents,
    )


def _alike(tasks: Sequence[Task]) -> list[list[Task]]:
    """Returns the tasks that restore the same inputs together."""
    groups: dict[object, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.alike, []).append(task)
    return list(groups.values())


def _written(task: Task, seconds: float) -> Evaluation:
    """Returns the scores, after writing those that are new."""
    if task.scores is None:
        assert task.before is not None
        return Evaluation(task.before, task.notes)
    scores = replace(task.scores, seconds=seconds)
    scores = scores if task.before is None else joined(task.before, scores)
    write_record(scores_file(task.folder, scores.set), scores)
    return Evaluation(scores, task.notes)


class _Ticks:
    """Counts what is done, and tells of it."""

    def __init__(self, progress: Callable[[int, int], object] | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0.0

    def __call__(self, pictures: float) -> None:
        self.done += pictures
        if self.progress:
            self.progress(int(self.done), self.total)


def _overall(progress: Callable[[int, int], object], first: int, now: int, runs: int, done: int, total: int) -> None:
    """Tells of a part's progress as of all runs', were the others like these."""
    progress(first * total // now + done, runs * total // now)
