"""Evaluation: restores a folder of photographs with a run's network, and scores it; only files remain."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from torch import Tensor

from pdloss.assets import sha256
from pdloss.datasets import OwnPairs, Photographs, leak_warning, same_pictures
from pdloss.datasets.prefetch import ThreadedCalls, ahead
from pdloss.devices import chosen_device
from pdloss.errors import RunError
from pdloss.evaluation import consistency, scoring
from pdloss.evaluation.defaults import CONSISTENCY, DEFAULT_METRICS, Demosaic
from pdloss.evaluation.frozen_sets import is_frozen
from pdloss.evaluation.inputs import Input, Inputs, comparable, contents_sha256
from pdloss.evaluation.pictures import Restored, Stored
from pdloss.evaluation.reuse import joined, lacking, reusable, scores_file
from pdloss.evaluation.scoring import Measures, SetTotals
from pdloss.files.spelling import spelled
from pdloss.files.tensors import unverified
from pdloss.images import pixels_sha256, to_bytes
from pdloss.limits import check_seed
from pdloss.memory import enough_memory
from pdloss.ops.color import quantize
from pdloss.picture_files import written_names
from pdloss.picture_files.patterns import set_name
from pdloss.records import ImageScores, Scores, SetScore, write_record
from pdloss.runs import RunFolder
from pdloss.specs.trust import RECEIVED, TYPED, Trust

_LESS = (
    "whole pictures go through the network and the metrics; leave out the largest or cut them smaller, choose fewer "
    "--metrics, or use --device cpu where the processor has more memory"
)


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
        self._known: dict[tuple[str, str], _Known] = {}

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
        started, folder = time.monotonic(), RunFolder(run)
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
            if not measures.records:
                return Evaluation(before, [*notes, f"{there}; --again scores it anew"])
            notes.append(f"{there}; only {', '.join(measures.records)} computed, of the pictures on disk")
        known = self._known.setdefault((contents, asked.degradation), _Known({}, {}))
        with enough_memory(f"evaluating {asked.run} on {asked.set}", _LESS), ThreadedCalls() as behind:
            where = folder, asked.set, photographs.names, self.device
            pictures = Restored(*where, behind, self.trusted) if before is None else Stored(*where)
            scores = _scored(asked, inputs, measures, pictures, known, progress)
        scores = replace(
            scores,
            images=[replace(image, restored_sha256=pictures.sha256(image.name)) for image in scores.images],
            seconds=time.monotonic() - started,
        )
        scores = scores if before is None else joined(before, scores)
        write_record(scores_file(folder, scores.set), scores)
        return Evaluation(scores, notes)

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


class _Known(NamedTuple):
    """What inputs are known to score: the same for every run that restores them."""

    images: dict[str, dict[str, float]]
    sets: dict[str, SetScore]


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


def _scored(
    asked: Scores,
    inputs: Inputs,
    measures: Measures,
    pictures: Stored,
    known: _Known,
    progress: Callable[[int, int], object] | None,
) -> Scores:
    """Returns the scores with the values of `measures`; those of the inputs are taken from `known`, or added to it."""
    images = []
    totals, of_inputs = SetTotals(measures), SetTotals(measures.only(measures.whole.keys() - known.sets.keys()))
    for done, item in enumerate(ahead(inputs.__getitem__, len(inputs)), start=1):
        target, degraded = item.target[None].to(pictures.device), item.degraded[None].to(pictures.device)
        restored = pictures(item)
        here = _with_consistency(measures, item, quantize(degraded))
        values = here.scores(item.name, restored, target)
        totals.add(restored, target)
        of_input = known.images.setdefault(item.name, {})
        unknown = here.only(values.keys() - of_input.keys())
        if unknown.single or of_inputs.measures:
            simple = quantize(comparable(degraded, target, inputs.chain, inputs.demosaic))
            of_input |= unknown.scores(item.name, simple, target)
            of_inputs.add(simple, target)
        images.append(
            ImageScores(
                name=item.name,
                restored=values,
                degraded={name: of_input[name] for name in values},
                target_sha256=pixels_sha256(to_bytes(item.target)),
            )
        )
        if progress:
            progress(done, len(inputs))
    known.sets.update(of_inputs.scores())
    degraded_sets = {name: known.sets[name] for name in measures.whole}
    return replace(asked, images=images, sets=totals.scores(), degraded_sets=degraded_sets)


def _with_consistency(measures: Measures, item: Input, degraded: Tensor) -> Measures:
    """Returns the metrics and, of the consistency scores that were asked for, those of this very input."""
    found = consistency.measures(item.drawn)
    asked = {name: measure for name, measure in found.items() if name in measures.records}
    return measures.also({name: partial(_against, measure, degraded) for name, measure in asked.items()}, {})


def _against(measure: consistency.Measure, degraded: Tensor, restored: Tensor, _: Tensor) -> Tensor:
    return measure(restored, degraded)
