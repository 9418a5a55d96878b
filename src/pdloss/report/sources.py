"""What a report is made from: run folders that were scored on the same pictures in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pdloss.errors import RunError
from pdloss.records import ImageScores, LogLine, Metric, RunRecord, Scores, read_log, read_record


@dataclass(frozen=True)
class ScoredRun:
    """One run folder, read."""

    folder: Path
    name: str
    record: RunRecord
    scores: Scores
    log: list[LogLine]

    def picture(self, kind: str, image: str) -> Path:
        """Returns where the run keeps its ``restored`` or ``degraded`` picture of an image."""
        return self.folder / kind / self.scores.set / f"{Path(image).stem}.png"

    @cached_property
    def by_image(self) -> dict[str, ImageScores]:
        """The scores by image name."""
        return {image.name: image for image in self.scores.images}


@dataclass(frozen=True)
class Comparison:
    """Runs that may be compared: the same images, the same degradation, the same meaning of each score."""

    set: str
    runs: tuple[ScoredRun, ...]
    images: tuple[str, ...]
    metrics: dict[str, Metric]
    """The metrics that every run has for every image."""
    notes: tuple[str, ...]
    """What the reader must know before comparing."""

    def restored(self, run: ScoredRun, metric: str) -> Float[np.ndarray, " images"]:
        """Returns a run's scores of one metric, one value per image, in the order of `images`."""
        scores = run.by_image
        return np.array([scores[name].restored[metric] for name in self.images])

    def degraded(self, metric: str) -> Float[np.ndarray, " images"] | None:
        """Returns the scores of the network's input, or none if it was not scored (a smaller one cannot be)."""
        scores = self.runs[0].by_image
        values = [scores[name].degraded.get(metric) for name in self.images]
        return None if None in values else np.array(values, dtype=float)


def read_comparison(folders: Sequence[Path], set_name: str | None = None) -> Comparison:
    """Returns the runs, read and found comparable.

    Args:
        folders: Run folders, at least one.
        set_name: Which scored set to compare on; by default the only one that all runs share.

    Raises:
        RunError: If a folder is missing or lacks the scores, or if the runs were scored on different images,
            from different degradations or under different protocols; the message names the difference.
    """
    if not folders:
        raise RunError("a report needs at least one run folder")
    _refuse_repeated(folders)
    chosen = _choose_set({folder: _scored_sets(folder) for folder in folders}, set_name)
    runs = tuple(
        ScoredRun(
            folder=folder,
            name=name,
            record=read_record(folder / "config.json", RunRecord),
            scores=read_record(folder / "scores" / f"{chosen}.json", Scores),
            log=read_log(folder / "log.jsonl"),
        )
        for folder, name in zip(folders, run_names(folders), strict=True)
    )
    _refuse_different(runs)
    metrics, left_out = _common_metrics(runs)
    notes = (*left_out, *_differing_inputs(runs, metrics), *_unfinished(runs))
    return Comparison(chosen, runs, tuple(image.name for image in runs[0].scores.images), metrics, notes)


def run_names(folders: Sequence[Path]) -> list[str]:
    """Returns the shortest ends of the paths that tell the folders apart.

    Example:
        >>> run_names([Path("runs/a/last"), Path("runs/b/last")])
        ['a/last', 'b/last']
    """
    parts = [folder.resolve().parts for folder in folders]
    depth = 1
    while len({p[-depth:] for p in parts}) < len(parts) and depth < max(map(len, parts)):
        depth += 1
    return ["/".join(p[-depth:]) for p in parts]


def _refuse_repeated(folders: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise RunError(f"{folder} was given twice; name each run once")
        seen.add(folder.resolve())


def _scored_sets(folder: Path) -> set[str]:
    if not folder.is_dir():
        raise RunError(f"{folder} is not a folder; give the folders that `pdloss train` wrote")
    # A half-written file of a killed evaluation starts with a dot.
    sets = {path.stem for path in (folder / "scores").glob("*.json") if not path.name.startswith(".")}
    if not sets:
        raise RunError(f"{folder} has no scores; run `pdloss evaluate {folder} --data FOLDER` first")
    return sets


def _choose_set(scored: dict[Path, set[str]], wanted: str | None) -> str:
    if wanted is not None:
        for folder, sets in scored.items():
            if wanted not in sets:
                raise RunError(
                    f"{folder} has no scores of {wanted!r}, only of {_listed(sets)}; "
                    f"run `pdloss evaluate {folder} --data FOLDER` on that set first"
                )
        return wanted
    common = set.intersection(*scored.values())
    if len(common) == 1:
        return common.pop()
    if common:
        raise RunError(f"the runs were scored on several sets: choose one with --set, from {_listed(common)}")
    each = "; ".join(f"{folder} on {_listed(sets)}" for folder, sets in scored.items())
    raise RunError(f"the runs were scored on no set in common: {each}")


def _refuse_different(runs: Sequence[ScoredRun]) -> None:
    first, *others = runs
    if not first.scores.images:
        raise RunError(f"{first.folder} was scored on no image of {first.scores.set!r}; evaluate it again")
    for other in others:
        if alone := first.by_image.keys() ^ other.by_image.keys():
            name = min(alone)
            has, lacks = (first, other) if name in first.by_image else (other, first)
            raise RunError(
                f"the runs were scored on different images: {has.name} has {name!r}, {lacks.name} has not "
                f"({len(alone)} differ); evaluate them on the same folder"
            )
        if first.scores.degradation != other.scores.degradation:
            raise RunError(
                f"the runs restored different degradations: {first.name} from {first.scores.degradation!r}, "
                f"{other.name} from {other.scores.degradation!r}; evaluate them with the same one"
            )
        for key in first.scores.metrics.keys() & other.scores.metrics.keys():
            ours, theirs = first.scores.metrics[key], other.scores.metrics[key]
            if (ours.protocol, ours.unit, ours.better) != (theirs.protocol, theirs.unit, theirs.better):
                raise RunError(
                    f"{key} was measured in different ways: {ours.protocol!r} for {first.name}, "
                    f"{theirs.protocol!r} for {other.name}; evaluate both with the same version"
                )


def _common_metrics(runs: Sequence[ScoredRun]) -> tuple[dict[str, Metric], list[str]]:
    every = {key: metric for run in runs for key, metric in run.scores.metrics.items()}
    lacking = {
        key: [run.name for run in runs if any(key not in image.restored for image in run.scores.images)]
        for key in every
    }
    common = {key: metric for key, metric in every.items() if not lacking[key]}
    if not common:
        raise RunError("the runs have no score in common; evaluate them with the same metrics")
    notes = [
        f"{every[key].label} is left out: {', '.join(names)} lacks it for some or all images."
        for key, names in lacking.items()
        if names
    ]
    return common, notes


def _differing_inputs(runs: Sequence[ScoredRun], metrics: dict[str, Metric]) -> list[str]:
    """Says so when the runs were not fed the same pictures, as far as the scores of the inputs can tell."""
    notes = []
    first = runs[0].by_image
    for run in runs[1:]:
        for image in run.scores.images:
            ours, theirs = first[image.name].degraded, image.degraded
            # One thousandth is far above rounding between devices, far below another draw of the noise.
            apart = [k for k in metrics if k in ours and k in theirs and abs(ours[k] - theirs[k]) > 1e-3 * abs(ours[k])]
            if apart:
                label, key = metrics[apart[0]].label, apart[0]
                notes.append(
                    f"{runs[0].name} and {run.name} did not restore the same degraded pictures: {label} of the input "
                    f"{image.name} is {ours[key]:.6g} and {theirs[key]:.6g}."
                )
                break
    return notes


def _unfinished(runs: Sequence[ScoredRun]) -> list[str]:
    return [
        f"{run.name} was scored after {run.scores.step:,} of {run.record.steps:,} steps."
        for run in runs
        if run.scores.step != run.record.steps
    ]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
