"""Which score files may be compared: the same images, spoilt in the same way, measured by the same rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pdloss.errors import RunError
from pdloss.records import ImageScores, Metric, Scores, read_record


@dataclass(frozen=True)
class Scored:
    """One run's scores on one set, read."""

    name: str
    """The shortest end of its path that tells it from the others."""
    file: Path
    scores: Scores

    @cached_property
    def by_image(self) -> dict[str, ImageScores]:
        """The scores by image name."""
        return {image.name: image for image in self.scores.images}

    def values(self, metric: str, images: Sequence[str]) -> Float[np.ndarray, " images"]:
        """Returns the restored images' scores of one metric, in the order of the names."""
        return np.array([self.by_image[name].restored[metric] for name in images], dtype=float)


@dataclass(frozen=True)
class Comparable:
    """Runs found comparable, what they share, and what the reader must know."""

    runs: tuple[Scored, ...]
    images: tuple[str, ...]
    metrics: dict[str, Metric]
    """The metrics that every run has for every image, as finite numbers."""
    notes: tuple[str, ...]


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
    files = _chosen_files(paths, set_name)
    read = [read_record(file, Scores) for file in files]
    runs = tuple(Scored(*parts) for parts in zip(_names(files), files, read, strict=True))
    for other in runs[1:]:
        _refuse_other_pictures(runs[0], other)
        _refuse_other_rules(runs[0], other)
        _refuse_other_inputs(runs[0], other)
    metrics, notes = _common_metrics(runs)
    return Comparable(runs, tuple(image.name for image in runs[0].scores.images), metrics, tuple(notes))


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


def _chosen_files(paths: Sequence[Path], set_name: str | None) -> list[Path]:
    found = [score_files(path) for path in paths]
    if set_name is None and all(path.is_file() for path in paths):
        chosen = list(paths)
    else:
        name = _chosen_set(paths, found, set_name)
        chosen = [files[name] for files in found]
    for i, file in enumerate(chosen):
        if file.resolve() in {other.resolve() for other in chosen[:i]}:
            raise RunError(f"{paths[i]} was given twice; name each run once")
    return chosen


def score_files(path: Path) -> dict[str, Path]:
    """Returns the score files by the name of their set; an archived run may keep them beside its ``config.json``.

    Raises:
        RunError: If there are none.
    """
    if path.is_file():
        if path.suffix != ".json":
            raise RunError(f"{path} is no score file; give run folders, or the score files in them")
        return {path.stem: path}
    if not path.is_dir():
        raise RunError(f"{path} does not exist; give folders that `pdloss train` wrote, or score files")
    # A half-written file of a killed evaluation starts with a dot.
    inside = [file for file in (path / "scores").glob("*.json") if not file.name.startswith(".")]
    beside = [file for file in path.glob("*.json") if not file.name.startswith(".") and _is_scores(file)]
    if not (files := inside or beside):
        if not (path / "config.json").exists() and (near := sorted(path.glob("*/config.json"))):
            named = " ".join(str(run.parent) for run in near[:3])
            raise RunError(f"{path} is no run folder; the runs in it are {named}{' …' if len(near) > 3 else ''}")
        raise RunError(f"{path} has no scores; run `pdloss evaluate {path} --data FOLDER` first")
    return {file.stem: file for file in sorted(files)}


def _is_scores(file: Path) -> bool:
    try:
        read_record(file, Scores)
    except RunError:
        return False
    return True


def _chosen_set(paths: Sequence[Path], found: Sequence[Mapping[str, Path]], wanted: str | None) -> str:
    if wanted is not None:
        for path, files in zip(paths, found, strict=True):
            if wanted not in files:
                raise RunError(f"{path} has no scores of {wanted!r}, only of {', '.join(sorted(files))}")
        return wanted
    common = set.intersection(*(set(files) for files in found))
    if not common:
        each = "; ".join(f"{path} on {', '.join(sorted(files))}" for path, files in zip(paths, found, strict=True))
        raise RunError(f"the runs were scored on no set in common: {each}")
    return max(sorted(common), key=lambda name: max(files[name].stat().st_mtime_ns for files in found))


def _names(files: Sequence[Path]) -> list[str]:
    """Returns the shortest ends of the runs' paths that tell them apart; of the files' own, where one run has two."""
    runs = [run_folder(file.resolve()) for file in files]
    return shortest_ends(runs if len(set(runs)) == len(runs) else [file.resolve().with_suffix("") for file in files])


def _refuse_other_pictures(first: Scored, other: Scored) -> None:
    if not first.scores.images:
        raise RunError(f"{first.file} holds no image; evaluate the run again")
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
    if first.scores.degradation != other.scores.degradation:
        raise RunError(
            f"the runs restored different degradations: {first.name} from {first.scores.degradation!r}, {other.name} "
            f"from {other.scores.degradation!r}; evaluate them with the same one"
        )


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
