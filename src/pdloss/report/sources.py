"""What a report is made from: runs that were scored on the same pictures in the same way, read from their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pdloss import comparison as statistics
from pdloss.comparison import Scored
from pdloss.comparison.scored import run_folder
from pdloss.errors import RunError
from pdloss.picture_files import by_key, written_names
from pdloss.records import ImageScores, LogLine, Metric, RunRecord, Scores, SetScore, read_log, read_record
from pdloss.spelling import as_path


@dataclass(frozen=True)
class ScoredRun:
    """One run, read."""

    folder: Path
    name: str
    record: RunRecord
    scores: Scores
    log: list[LogLine]

    def picture(self, kind: str, image: str) -> Path:
        """Returns where the run keeps its ``restored`` or ``degraded`` picture of an image."""
        return self.folder / kind / self.scores.set / as_path(self._files[image])

    @cached_property
    def _files(self) -> dict[str, str]:
        return written_names([image.name for image in self.scores.images])

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
    notes: tuple[str, ...] = ()
    """What the reader must know before comparing."""
    tested: "statistics.Comparison | None" = None
    """Every run against the first; none of a single run."""
    set_metrics: Mapping[str, Metric] = field(default_factory=dict)
    """Metrics of all images together, which some run at least has."""

    def restored(self, run: ScoredRun, metric: str) -> Float[np.ndarray, " images"]:
        """Returns a run's scores of one metric, one value per image, in the order of `images`."""
        scores = run.by_image
        return np.array([scores[name].restored[metric] for name in self.images])

    def degraded(self, metric: str) -> Float[np.ndarray, " images"] | None:
        """Returns the scores of the network's input, or none if it was not scored (a smaller one cannot be)."""
        scores = self.runs[0].by_image
        values = [scores[name].degraded.get(metric) for name in self.images]
        return None if None in values else np.array(values, dtype=float)

    @cached_property
    def called(self) -> dict[str, str]:
        """What files made of each image are called: its path without the suffix, on one level."""
        return {name: key.replace("/", "-") for key, name in by_key(self.images).items()}

    def metric(self, key: str) -> Metric:
        """Returns a metric of images or of the set."""
        return self.metrics[key] if key in self.metrics else self.set_metrics[key]

    def means(self, key: str) -> list[float | None]:
        """Returns each run's mean over images, or its score of the set; none where a run lacks it."""
        if key in self.metrics:
            return [float(self.restored(run, key).mean()) for run in self.runs]
        return [score.value if (score := self.of_set(run, key)) else None for run in self.runs]

    def of_set(self, run: ScoredRun | None, key: str) -> SetScore | None:
        """Returns a run's score of the whole set; without a run, the degraded input's."""
        return self.runs[0].scores.degraded_sets.get(key) if run is None else run.scores.sets.get(key)


def read_comparison(paths: Sequence[Path], set_name: str | None = None) -> Comparison:
    """Returns the runs, read and found comparable.

    Args:
        paths: Run folders, or score files with the ``config.json`` of the run beside them, at least one.
        set_name: Which scored set; by default, of those in common, the one written last.

    Raises:
        RunError: If something is missing, or if the runs were scored on different images, from different degradations
            or under different protocols; the message names the difference.
    """
    if not paths:
        raise RunError("name at least one run folder, scored by `pdloss evaluate`")
    found = [_alone(paths[0], set_name)] if len(paths) == 1 else statistics.comparable(paths, set_name).runs
    runs = tuple(_read(scored) for scored in found)
    images = tuple(image.name for image in runs[0].scores.images)
    unfinished = tuple(
        f"{run.name} was scored after {run.scores.step:,} of {run.record.steps:,} steps."
        for run in runs
        if run.scores.step != run.record.steps
    )
    chosen = runs[0].scores.set
    set_metrics = {key: metric for run in runs for key, metric in run.scores.set_metrics.items()}
    if len(runs) == 1:
        whole = runs[0].scores.metrics
        metrics = {k: m for k, m in whole.items() if all(k in image.restored for image in runs[0].scores.images)}
        return Comparison(chosen, runs, images, metrics, unfinished, None, set_metrics)
    tested = statistics.compare(paths, set_name)
    return Comparison(chosen, runs, images, tested.metrics, (*tested.notes, *unfinished), tested, set_metrics)


def _read(scored: Scored) -> ScoredRun:
    folder = run_folder(scored.file)
    record = read_record(folder / "config.json", RunRecord)
    return ScoredRun(folder, scored.name, record, scored.scores, read_log(folder / "log.jsonl"))


def _alone(path: Path, set_name: str | None) -> Scored:
    """Returns the one run, which nothing needs to be comparable with."""
    file = path if path.is_file() else _score_file(path, set_name)
    scores = read_record(file, Scores)
    if not scores.images:
        raise RunError(f"{file} holds no image; evaluate the run again")
    return Scored(run_folder(file.resolve()).name, file, scores)


def _score_file(folder: Path, set_name: str | None) -> Path:
    if not folder.is_dir():
        raise RunError(f"{folder} does not exist; give folders that `pdloss train` wrote, or score files")
    # A half-written file of a killed evaluation starts with a dot; an archived run keeps its scores beside its record.
    files = [*(folder / "scores").glob("[!.]*.json")] or [
        file for file in folder.glob("[!.]*.json") if file.name != "config.json"
    ]
    if not files:
        raise RunError(f"{folder} has no scores; run `pdloss evaluate {folder} --data FOLDER` first")
    if set_name is None:
        return max(sorted(files), key=lambda file: file.stat().st_mtime_ns)
    if chosen := next((file for file in files if file.stem == set_name), None):
        return chosen
    raise RunError(f"{folder} has no scores of {set_name!r}, only of {', '.join(sorted(f.stem for f in files))}")
