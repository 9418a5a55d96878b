"""What ``pdloss models evaluate`` writes of a model: every number that its card has."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pdloss.comparison.paired import gaps, interval
from pdloss.records import Metric, Record, Scores
from pdloss.statistics import RESAMPLES, resample_shares, resampled_means


class Score(Record, frozen=True, kw_only=True):
    """A metric's mean over a set, of the model and of what it is compared with; each with its 95 % interval."""

    metric: str
    value: float
    low: float | None
    high: float | None
    against: dict[str, tuple[float, float | None, float | None]]
    """Of the input, and of others by name: how much larger the model's values are than theirs, image by image."""
    values: dict[str, float]
    """The means of these."""


class SetScores(Record, frozen=True, kw_only=True):
    """A model on one set, degraded in one way."""

    set: str
    protocol: str
    degradation: str
    images: int
    scores: list[Score]


class ModelScores(Record, frozen=True, kw_only=True):
    """``NAME.json``: a model on all sets."""

    model: str
    weights_sha256: str
    metrics: dict[str, Metric]
    sets: list[SetScores]
    versions: dict[str, str]


def set_scores(scores: Scores, set_name: str, protocol: str, others: Mapping[str, Scores]) -> SetScores:
    """Returns the means, intervals and differences of one evaluation.

    Args:
        scores: Of the model.
        set_name: What the set is called.
        protocol: What its degradation is called.
        others: Of other methods on the same pictures, by name.
    """
    shares = resample_shares(len(scores.images), RESAMPLES, 0)
    rows = []
    for key, metric in scores.metrics.items():
        own = _column(scores, key)
        beside = {"input": np.array([image.degraded.get(key, np.nan) for image in scores.images])}
        beside |= {name: _column(other, key, scores) for name, other in others.items() if key in other.metrics}
        beside = {name: values for name, values in beside.items() if np.isfinite(values).all()}
        bounds = interval(resampled_means(own, shares), len(own))
        against = {}
        for name, values in beside.items():
            gap = gaps(own, values, metric.better)
            against[name] = (float(gap.mean()), *interval(resampled_means(gap, shares), len(gap)))
        rows.append(
            Score(
                metric=key, value=float(own.mean()), low=bounds[0], high=bounds[1], against=against,
                values={name: float(values.mean()) for name, values in beside.items()},
            )
        )  # fmt: skip
    return SetScores(
        set=set_name, protocol=protocol, degradation=scores.degradation, images=len(scores.images), scores=rows
    )


def _column(scores: Scores, key: str, like: Scores | None = None) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Returns a score of every image, in the order of another's images."""
    by_name = {image.name: image.restored[key] for image in scores.images}
    names: Sequence[str] = [image.name for image in (like or scores).images]
    return np.array([by_name.get(name, np.nan) for name in names])


def card_files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Returns where a model's scores, its card and its picture lie."""
    return folder / f"{name}.json", folder / f"{name}.md", folder / f"{name}.jpg"
