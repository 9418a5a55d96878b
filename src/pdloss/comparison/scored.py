"""Which score files may be compared: the same images, degraded in the same way, measured by the same rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from jaxtyping import Float

from pdloss.comparison.grouping import Trained
from pdloss.comparison.plane import Plane
from pdloss.comparison.sets import chosen_files, matched_names
from pdloss.errors import RunError
from pdloss.records import NOT_KNOWN, ImageScores, Metric, RunRecord, Scores, read_record


@dataclass(frozen=True)
class Scored:
    """The scores of one run, or of somebody else's method, on one set, read."""

    name: str
    """The method's, or the shortest end of the run's path that tells it from the others."""
    file: Path
    scores: Scores
    """Images are called as in the first of the runs compared."""
    own_names: Mapping[str, str] = field(default_factory=dict)
    """What its own files call an image, where that is another name."""

    @cached_property
    def by_image(self) -> dict[str, ImageScores]:
        """The scores by image name."""
        return {image.name: image for image in self.scores.images}

    def values(self, metric: str, images: Sequence[str]) -> Float[np.ndarray, " images"]:
        """Returns the restored images' scores of one metric, in the order of the names."""
        return np.array([self.by_image[name].restored[metric] for name in images], dtype=float)

    @cached_property
    def record(self) -> RunRecord | None:
        """Its training; None of pictures that were scored from files, and where no ``config.json`` is there."""
        path = run_folder(self.file) / "config.json"
        return read_record(path, RunRecord) if self.scores.method is None and path.is_file() else None

    @property
    def loss(self) -> str | None:
        """What it was trained with, as far as that is known."""
        said = self.scores.method.loss if self.scores.method else None
        return self.record.loss if self.record else said

    @property
    def degradation(self) -> str | None:
        """What it restored from; None where that is not known."""
        return None if self.scores.degradation == NOT_KNOWN else self.scores.degradation

    @property
    def trained(self) -> Trained:
        """What tells which sweep it belongs to."""
        return Trained(self.name, self.loss, self.record)


@dataclass(frozen=True)
class Comparable:
    """Runs found comparable, what they share, and what the reader must know."""

    runs: tuple[Scored, ...]
    images: tuple[str, ...]
    metrics: dict[str, Metric]
    """The metrics that every run has for every image, as finite numbers."""
    notes: tuple[str, ...]

    @property
    def degradation(self) -> str:
        """What the images were restored from, as far as one of the runs knows it."""
        return next((run.degradation for run in self.runs if run.degradation is not None), NOT_KNOWN)

    def plane(self, x: str, y: str) -> Plane:
        """Returns where the runs' means lie in the plane of two metrics."""
        means = [[float(run.values(key, self.images).mean()) for key in (x, y)] for run in self.runs]
        return Plane(self.metrics[x], self.metrics[y], tuple((a, b) for a, b in means))


def comparable(paths: Sequence[Path], set_name: str | None = None) -> Comparable:
    """Returns the runs, read and found comparable.

    Args:
        paths: Run folders, or score files; at least two.
        set_name: Which scored set to compare on; by default, of those that all share, the one written last.

    Raises:
        RunError: If something is missing, or the runs were scored on other images, other targets, from other
            degradations or by other rules; the message names the difference.
    """
    if len(paths) < 2:
        raise RunError("a comparison needs at least two runs: give two run folders, or two score files")
    runs = of_one_set(paths, set_name)
    start = next((run for run in runs if any(image.degraded for image in run.scores.images)), runs[0])
    for other in runs[1:]:
        _refuse_other_rules(runs[0], other)
        _refuse_other_inputs(start, other)
    notes = _unknown(runs)
    metrics, missing = _common_metrics(runs)
    images = tuple(image.name for image in runs[0].scores.images)
    return Comparable(tuple(runs), images, metrics, (*notes, *missing))


def of_one_set(paths: Sequence[Path], set_name: str | None = None) -> list[Scored]:
    """Returns the scores of each path on one set, images called as in the first; by which rules is not looked at.

    Args:
        paths: Run folders, folders of ``pdloss score``, or score files; at least one.
        set_name: Which scored set; by default, of those that all share, the one written last.

    Raises:
        RunError: If something is missing, or the images, their targets or what runs restored them from differ.
    """
    files = chosen_files(paths, set_name)
    read = [read_record(file, Scores) for file in files]
    if empty := next((file for file, scores in zip(files, read, strict=True) if not scores.images), None):
        raise RunError(f"{empty} holds no image; evaluate the run again")
    runs = [Scored(*parts) for parts in zip(_names(files, read), files, read, strict=True)]
    return [runs[0], *(_called_alike(runs[0], other) for other in runs[1:])]


def run_folder(file: Path) -> Path:
    """Returns the run folder that a score file belongs to: with its ``config.json``, above ``scores`` or beside it."""
    return file.parent.parent if file.parent.name == "scores" else file.parent


def shortest_ends(paths: Sequence[Path]) -> list[str]:
    """Returns the shortest ends of paths, all of one length, that tell them apart.

    Example:
        >>> shortest_ends([Path("sr/l1"), Path("jpeg/l1")])
        ['sr/l1', 'jpeg/l1']
    """
    parts, depth = [path.parts for path in paths], 1
    while len({p[-depth:] for p in parts}) < len(parts) and depth < max(map(len, parts)):
        depth += 1
    return ["/".join(p[-depth:]) for p in parts]


def _names(files: Sequence[Path], read: Sequence[Scores]) -> list[str]:
    """Returns the methods' names, and of the others the shortest ends of the runs' paths that tell them apart.

    Where one run has two files, or two methods one name, it is the ends of the files' own paths.
    """
    runs = [run_folder(file.resolve()) for file in files]
    ends = shortest_ends(runs if len(set(runs)) == len(runs) else [file.resolve().with_suffix("") for file in files])
    names = [scores.method.name if scores.method else end for scores, end in zip(read, ends, strict=True)]
    return names if len(set(names)) == len(names) else ends


def _called_alike(first: Scored, other: Scored) -> Scored:
    """Returns the other run with its images called as the first one's, found by their contents where those are known.

    Raises:
        RunError: If they are not the same images, or were degraded in another way.
    """
    names = matched_names(first.scores, other.scores)
    if names is None:
        _refuse_other_names(first, other)
        names = {}
    said = {run.degradation for run in (first, other) if run.scores.method is None} - {None}
    if len(said) > 1:
        raise RunError(
            f"the runs restored different degradations: {first.name} from {first.degradation!r}, {other.name} "
            f"from {other.degradation!r}; evaluate them with the same one"
        )
    renamed = [msgspec.structs.replace(i, name=names.get(i.name, i.name)) for i in other.scores.images]
    own = {new: old for old, new in names.items() if old != new}
    return replace(other, scores=msgspec.structs.replace(other.scores, images=renamed), own_names=own)


def _refuse_other_names(first: Scored, other: Scored) -> None:
    """Refuses images of other pixels; where those of one are not known, of other names or of another folder."""
    if all(image.target_sha256 for run in (first, other) for image in run.scores.images):
        ours, theirs = ({image.target_sha256 for image in run.scores.images} for run in (first, other))
        counts = f"{len(first.scores.images)} and {len(other.scores.images)} images, {len(ours & theirs)} in common"
        raise RunError(
            f"the runs were scored against different targets: those of {first.name} ({_folder(first)!r}) and of "
            f"{other.name} ({_folder(other)!r}) have other pixels ({counts}); score both on the same pictures"
        )
    hashes = (first.scores.targets_sha256, other.scores.targets_sha256)
    # A folder may have moved; without the hash of its contents, its own name is what is left to go by.
    same = hashes[0] == hashes[1] if all(hashes) else _folder(first) == _folder(other)
    if not same:
        raise RunError(
            f"the runs were scored against different targets: {first.name} against {_folder(first)!r}, {other.name} "
            f"against {_folder(other)!r}{' with other contents' if all(hashes) else ''}; evaluate them on one folder"
        )
    if alone := first.by_image.keys() ^ other.by_image.keys():
        name = min(alone)
        has, lacks = (first, other) if name in first.by_image else (other, first)
        raise RunError(
            f"the runs were scored on different images: {has.name} has {name!r}, {lacks.name} has not "
            f"({len(alone)} differ); evaluate them on the same folder"
        )


def _unknown(runs: Sequence[Scored]) -> list[str]:
    """Returns what is not known of some of the runs, and would be of others."""
    notes = []
    unlike = dict.fromkeys(r.degradation for r in runs if r.degradation is not None and r.scores.method is None)
    known = next(iter(unlike), None)
    for run in runs:
        if run.degradation is None:
            notes.append(f"What {run.name} restored from is not known: it may not be what the others restored.")
        elif run.scores.method and known is not None and not known.startswith(run.degradation):
            notes.append(
                f"{run.name} is said to restore from {run.degradation!r}, the others from {known!r}: whether these are "
                "the same pictures is not known."
            )
        if run.record is None and run.loss is None:
            notes.append(f"The loss that {run.name} was trained with is not known.")
    return notes


def _refuse_other_rules(first: Scored, other: Scored) -> None:
    for key, ours in (first.scores.metrics | first.scores.set_metrics).items():
        theirs = (other.scores.metrics | other.scores.set_metrics).get(key)
        if theirs is not None and _rule(ours) != _rule(theirs):
            raise RunError(
                f"{key} was measured in different ways: {_rule(ours)!r} for {first.name}, {_rule(theirs)!r} for "
                f"{other.name}; evaluate both with the same version"
            )
        # Records of before the hashes were kept say nothing of the weights.
        if theirs is not None and ours.weights and theirs.weights and ours.weights != theirs.weights:
            raise RunError(
                f"{key} was measured with different weights: {ours.weights} for {first.name}, {theirs.weights} for "
                f"{other.name}; evaluate both with the same assets"
            )


def _refuse_other_inputs(first: Scored, other: Scored) -> None:
    for image in other.scores.images:
        was, now = first.by_image[image.name].degraded, image.degraded
        for key in was.keys() & now.keys():
            # One thousandth is far above rounding between devices, far below another draw of the noise; a score that
            # should be near zero, as sharpness, may be rounding and nothing else.
            if abs(was[key] - now[key]) > 1e-3 * abs(was[key]) + 1e-5:
                raise RunError(
                    f"{first.name} and {other.name} did not restore the same pictures: {key} of the degraded "
                    f"{image.name} is {was[key]:.6g} and {now[key]:.6g}; evaluate them on the same frozen set"
                )


def _folder(run: Scored) -> str:
    return Path(run.scores.targets).name


def _rule(metric: Metric) -> str:
    return f"{metric.protocol}; {metric.better} is better{f', {metric.unit}' if metric.unit else ''}"


def _common_metrics(runs: Sequence[Scored]) -> tuple[dict[str, Metric], list[str]]:
    common, notes = {}, []
    for key, metric in {key: metric for run in runs for key, metric in run.scores.metrics.items()}.items():
        lacking = [run.name for run in runs if any(key not in image.restored for image in run.scores.images)]
        broken = [
            f"{image.name} of {run.name}"
            for run in runs
            for image in run.scores.images
            if not np.isfinite(image.restored.get(key, 0.0))
        ]
        if lacking:
            notes.append(f"{metric.label} is left out: {', '.join(lacking)} lacks it for some or all images.")
        elif broken:
            notes.append(f"{metric.label} is left out: it is not finite for {broken[0]}.")
        else:
            common[key] = metric
    if not common:
        raise RunError(
            f"the runs have no score in common: {' '.join(notes) or 'they have none at all.'} Evaluate again"
        )
    return common, notes
