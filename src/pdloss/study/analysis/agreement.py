"""Do metrics prefer what people prefer? On single answers, on single images, and over whole methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float

from pdloss.errors import UserError
from pdloss.files.lists import first_few
from pdloss.records import Metric, Record, Scores
from pdloss.statistics import kendall_tau, lower_is_better, percentile_interval, resampled_means
from pdloss.study.analysis.tally import Tally

_Bounds = tuple[float, float] | tuple[None, None]


@dataclass(frozen=True, eq=False)
class People:
    """People's scores of the methods."""

    scores: Float[np.ndarray, " k"]
    replicates: Float[np.ndarray, "k resamples"]
    """The same in resamples of the images."""
    images: int

    def tau(self, costs: Float[np.ndarray, "k 1"]) -> float | None:
        """Returns the rank correlation with a metric's means, turned so that less is better; none if all are equal."""
        found = float(kendall_tau(self.scores, -costs[:, 0]))
        return found if np.isfinite(found) else None

    def tau_interval(self, costs: Float[np.ndarray, "k resamples"]) -> _Bounds:
        """Returns its interval, the metric's means being those of the same resamples."""
        return _interval(kendall_tau(self.replicates, -costs), self.images)


class Agreement(Record, frozen=True, kw_only=True):
    """How far one metric prefers what people prefer; one half is chance."""

    metric: str
    label: str
    answers: float | None = None
    """Share of answers for the method that the metric prefers on that image; its ties count half, people's not."""
    answers_low: float | None = None
    """Of the 95 % interval, by the bootstrap over images; none under two images."""
    answers_high: float | None = None
    cells: float | None = None
    """Share of pairs on images where the metric prefers what most answers prefer; even ones are left out."""
    cells_low: float | None = None
    cells_high: float | None = None
    counted: int
    """Pairs on images that were not even."""
    tau: float | None
    """Kendall's rank correlation of the methods' means with people's scores; none without scores."""
    tau_low: float | None = None
    """Of its interval, by the bootstrap over images, of people's scores to first order; none of whole sets' metrics."""
    tau_high: float | None = None


def agreements(
    counted: Tally,
    people: People | None,
    scores: Mapping[str, Scores],
    targets: Mapping[str, str],
    shares: Float[np.ndarray, "resamples images"],
) -> list[Agreement]:
    """Returns the agreement of every metric that all methods have, those of single images first.

    Args:
        counted: The answers.
        people: People's scores, if there are any.
        scores: What metrics say of each method's pictures.
        targets: The file name of each image's target; by default the image's own name.
        shares: Resamples of the images, as `resample_shares` draws them.

    Raises:
        UserError: If a method or an image has no scores.
    """
    if missing := [method for method in counted.methods if method not in scores]:
        raise UserError(
            f"there are no scores of {', '.join(missing)}; give all methods theirs, as --scores METHOD=RUN, or none"
        )
    stems = [_key(targets.get(image, image)) for image in counted.images]
    by_stem = {method: _by_key(scores[method]) for method in scores}
    for method in counted.methods:
        if lacking := sorted(set(stems) - by_stem[method].keys()):
            raise UserError(
                f"the scores of {method}, on {scores[method].set}, lack {first_few(lacking)}, which raters saw; "
                "give the scores of the same set"
            )
    found = []
    for key, metric in _common(counted.methods, scores, whole=False).items():
        values = [[by_stem[method][stem].get(key, np.nan) for stem in stems] for method in counted.methods]
        if np.isfinite(costs := np.array(values, dtype=float)).all():
            costs = lower_is_better(costs.reshape(-1, 1), [metric.better]).reshape(costs.shape)
            found.append(_of_images(key, metric.label, costs, counted, people, shares))
    for key, metric in _common(counted.methods, scores, whole=True).items():
        means = np.array([[scores[method].sets[key].value] for method in counted.methods])
        costs = lower_is_better(means, [metric.better])
        found.append(Agreement(metric=key, label=metric.label, counted=0, tau=people.tau(costs) if people else None))
    return found


def _by_key(scores: Scores) -> dict[str, dict[str, float]]:
    """Returns each image's scores by its path without the suffix: a study's pictures may have another."""
    return {_key(image.name): image.restored for image in scores.images}


def _key(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _of_images(
    key: str,
    label: str,
    costs: Float[np.ndarray, "k images"],
    counted: Tally,
    people: People | None,
    shares: Float[np.ndarray, "resamples images"],
) -> Agreement:
    first, second = np.triu_indices(len(costs), 1)
    gap = np.sign(costs[second] - costs[first]).T  # of every pair on every image: above zero if the first is better
    wins, losses = counted.by_image[:, 0], counted.by_image[:, 1]
    # Where the metric is undecided, half of the answers count as its own.
    right = (wins * (1 + gap) / 2 + losses * (1 - gap) / 2).sum(axis=1)
    most = np.sign(wins - losses)
    alike = np.abs(most) * (1 + most * gap) / 2
    answers, (answers_low, answers_high) = _ratio(right, (wins + losses).sum(axis=1), shares)
    cells, (cells_low, cells_high) = _ratio(alike.sum(axis=1), np.abs(most).sum(axis=1), shares)
    tau_low, tau_high = people.tau_interval(resampled_means(costs, shares)) if people else (None, None)
    return Agreement(
        metric=key,
        label=label,
        answers=answers,
        answers_low=answers_low,
        answers_high=answers_high,
        cells=cells,
        cells_low=cells_low,
        cells_high=cells_high,
        counted=int(np.abs(most).sum()),
        tau=people.tau(costs.mean(axis=1, keepdims=True)) if people else None,
        tau_low=tau_low,
        tau_high=tau_high,
    )


def _ratio(
    part: Float[np.ndarray, " images"], whole: Float[np.ndarray, " images"], shares: Float[np.ndarray, "b images"]
) -> tuple[float | None, _Bounds]:
    """Returns a share, and its interval over images."""
    if not whole.any():
        return None, (None, None)
    drawn = shares @ whole
    known = drawn > 1e-12
    return float(part.sum() / whole.sum()), _interval((shares @ part)[known] / drawn[known], len(part))


def _interval(replicates: Float[np.ndarray, " b"], n: int) -> _Bounds:
    replicates = replicates[np.isfinite(replicates)]
    if n < 2 or not len(replicates):
        return None, None
    low, high = percentile_interval(replicates, n).tolist()
    return low, high


def _common(methods: Sequence[str], scores: Mapping[str, Scores], whole: bool) -> dict[str, Metric]:
    """Returns the metrics that every method has: of single images, or of whole sets."""
    each = [scores[m].set_metrics if whole else scores[m].metrics for m in methods]
    return {key: metric for key, metric in each[0].items() if all(key in other for other in each)}
