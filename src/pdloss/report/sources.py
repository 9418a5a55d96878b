"""What a report is made from: runs that were scored on the same pictures in the same way, read from their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pdloss import comparison as statistics
from pdloss.comparison import Scored
from pdloss.comparison.grouping import Group, Trained, sweeps
from pdloss.comparison.scored import of_one_set, run_folder
from pdloss.comparison.verdicts import pairs
from pdloss.errors import RunError
from pdloss.files import name_inside, path_inside
from pdloss.files.spelling import as_path
from pdloss.picture_files import by_key, written_names
from pdloss.records import NOT_KNOWN, ImageScores, LogLine, Metric, RunRecord, Scores, SetScore, read_log


@dataclass(frozen=True)
class ScoredRun:
    """One run, read."""

    folder: Path
    name: str
    record: RunRecord | None
    """Of its training; None of pictures that were scored from files, whose training is not known."""
    loss: str | None
    """What it was trained with, as far as that is known: a loss, or words."""
    scores: Scores
    log: list[LogLine]
    own_names: Mapping[str, str] = field(default_factory=dict)
    """What its own files call an image, where that is another name."""

    @property
    def trained(self) -> Trained:
        """What tells which sweep it belongs to."""
        return Trained(self.name, self.loss, self.record)

    def own_name(self, image: str) -> str:
        """Returns what its own files call an image."""
        return self.own_names.get(image, image)

    def picture(self, kind: str, image: str) -> Path:
        """Returns where the run keeps its ``restored`` or ``degraded`` picture of an image.

        Raises:
            UserError: If the scores call their set by a path, or a link stands there: either may lead out of it.
        """
        name_inside(self.folder / kind, self.scores.set, "the set")
        return path_inside(self.folder, f"{kind}/{self.scores.set}/{as_path(self._files[image])}")

    def target(self, image: str) -> Path:
        """Returns where the run found the target of an image."""
        return as_path(self.scores.targets) / as_path(self.own_name(image))

    @cached_property
    def _files(self) -> dict[str, str]:
        """What each image's files are called, by what this comparison calls the image."""
        own = written_names([self.own_name(image.name) for image in self.scores.images])
        return {image.name: own[self.own_name(image.name)] for image in self.scores.images}

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
        """Returns the scores of the input, of the first run that has them; none if it was not scored."""
        for run in self.runs:
            values = [run.by_image[name].degraded.get(metric) for name in self.images]
            if None not in values:
                return np.array(values, dtype=float)
        return None

    @property
    def degradation(self) -> str:
        """What was restored from, as far as a run knows it."""
        known = (run.scores.degradation for run in self.runs if run.scores.degradation != NOT_KNOWN)
        return next(known, NOT_KNOWN)

    @property
    def comparisons(self) -> int:
        """How many differences there are to look at: every pair of runs in every metric of images."""
        return pairs(len(self.runs)) * len(self.metrics)

    def groups(self) -> list[Group]:
        """Returns the sweeps that the runs form."""
        return sweeps([run.trained for run in self.runs])

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

    def input_mean(self, key: str) -> float | None:
        """Returns the degraded input's mean over images, or its score of the set; none if it was not scored."""
        if key in self.metrics:
            values = self.degraded(key)
            return None if values is None else float(values.mean())
        score = self.of_set(None, key)
        return None if score is None else score.value

    def of_set(self, run: ScoredRun | None, key: str) -> SetScore | None:
        """Returns a run's score of the whole set; without a run, the degraded input's."""
        if run is not None:
            return run.scores.sets.get(key)
        return next((score for one in self.runs if (score := one.scores.degraded_sets.get(key))), None)


def read_comparison(paths: Sequence[Path], set_name: str | None = None) -> Comparison:
    """Returns the runs, read and found comparable.

    Args:
        paths: Run folders, folders of ``pdloss score``, or score files, at least one.
        set_name: Which scored set; by default, of those in common, the one written last.

    Raises:
        RunError: If something is missing, or if the runs were scored on different images, from different degradations
            or under different protocols; the message names the difference.
    """
    if not paths:
        raise RunError("name at least one run folder, scored by `pdloss evaluate`")
    found = of_one_set(paths, set_name) if len(paths) == 1 else statistics.comparable(paths, set_name).runs
    runs = tuple(_read(scored) for scored in found)
    images = tuple(image.name for image in runs[0].scores.images)
    unfinished = tuple(
        f"{run.name} was scored after {run.scores.step:,} of {run.record.steps:,} steps."
        for run in runs
        if run.record is not None and run.scores.step != run.record.steps
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
    log = read_log(folder / "log.jsonl") if scored.record else []
    return ScoredRun(folder, scored.name, scored.record, scored.loss, scored.scores, log, scored.own_names)
