"""What people prefer, out of their answers: who counts, preferences, scores, and whether one scale explains them."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc

from pdloss.errors import UserError
from pdloss.records import Record, Scores
from pdloss.statistics import RESAMPLES, Fit, bradley_terry, davidson, resample_shares, student_quantile, thurstone
from pdloss.study.analysis.agreement import Agreement, People, agreements
from pdloss.study.analysis.coherence import Coherence, coherence
from pdloss.study.analysis.exclusions import RaterCheck, kept_answers, rater_checks
from pdloss.study.analysis.preferences import Preference, Spread, preferences
from pdloss.study.analysis.tally import Tally, tally
from pdloss.study.records import Answer, Rules

Model = Literal["Bradley-Terry", "Davidson", "Thurstone"]


class MethodScore(Record, frozen=True, kw_only=True):
    """Where one method stands on the scale; all scores sum to zero."""

    method: str
    score: float
    error: float
    """Standard error as if all answers were independent."""
    error_clustered: float
    """Allowing for raters and images; never below the other."""
    low: float
    """Of the 95 % interval that allows for both."""
    high: float


class Scale(Record, frozen=True, kw_only=True):
    """Scores under one model, and how well it explains the answers."""

    model: Model
    scores: list[MethodScore]
    """In the order of the methods."""
    deviance: float
    """About chi-squared if the model holds and answers are independent."""
    freedom: int
    p_value: float | None
    """Of the deviance; none without degrees of freedom, or where ties were counted as halves of wins."""
    tie: float | None = None
    """Davidson's parameter: 1 if two equal methods tie in a third of all answers."""


class Analysis(Record, frozen=True, kw_only=True):
    """``analysis.json``: everything that the answers of one study say."""

    title: str
    methods: list[str]
    answers: int
    """All that came in, checks too."""
    used: int
    """Comparisons of two methods by raters who count."""
    images: int
    """Seen in these."""
    rules: Rules
    rules_fixed: bool
    """Whether they were fixed in a design, before anyone answered; else they are the usual ones."""
    raters: list[RaterCheck]
    preferences: list[Preference]
    scales: list[Scale]
    """Bradley-Terry, or Davidson where there are ties, and Thurstone; none if the answers allow no scores."""
    coherence: Coherence
    agreement: list[Agreement]
    """Of each metric with people."""
    prior: float
    """Wins added on both sides of every compared pair, for the scores alone."""
    seed: int
    resamples: int
    notes: list[str]
    """What the reader must know."""


def analyse(
    answers: Sequence[Answer],
    rules: Rules | None = None,
    *,
    methods: Sequence[str] | None = None,
    title: str = "Which picture looks better?",
    scores: Mapping[str, Scores] | None = None,
    targets: Mapping[str, str] | None = None,
    prior: float = 0.0,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Analysis:
    """Returns what the answers say.

    Args:
        answers: Of all raters, with the answers to checks.
        rules: By which raters are left out, as fixed in the design; by default the usual ones.
        methods: In the order of the tables; by default as they first appear.
        title: Of the study.
        scores: Of each method, what metrics say of its pictures.
        targets: The file name of each image's target, by which its scores are found; by default the image's own name.
        prior: Wins added on both sides of every compared pair, so that an undefeated method has a finite score.
        seed: Of the resamples.
        resamples: How many.

    Raises:
        UserError: If no rater or no comparison is left, or the scores do not fit the answers.
    """
    fixed, rules = rules is not None, rules or Rules()
    checks = rater_checks(answers, rules)
    _refuse_none_left(checks)
    counted = tally(kept_answers(answers, checks), methods)
    scales, notes = _scales(counted, prior)
    shares = resample_shares(len(counted.images), resamples, seed)
    people = _people(counted, scales[0].model, prior, shares) if scales else None
    return Analysis(
        title=title,
        methods=list(counted.methods),
        answers=len(answers),
        used=len(counted.answer),
        images=len(counted.images),
        rules=rules,
        rules_fixed=fixed,
        raters=checks,
        preferences=preferences(counted, resamples, seed),
        scales=scales,
        coherence=coherence(counted, resamples, seed),
        agreement=agreements(counted, people, scores, targets or {}, shares) if scores else [],
        prior=prior,
        seed=seed,
        resamples=resamples,
        notes=[*notes, *_doubts(checks, counted)],
    )


def scale(counted: Tally, model: Model, prior: float = 0.0) -> Scale:
    """Returns the scores of one model, with errors that allow for raters and images.

    The squared errors are those of `preferences.Spread`, by the sandwich of each rater's and each image's answers, and
    so are the degrees of freedom of the intervals. Without ties in the model, a tie is half a win for either.

    Raises:
        ValueError: As `bradley_terry`; if there are no ties for Davidson's model.
    """
    fit = _fitted(counted, model, prior)
    groups = len(counted.raters), len(counted.images)
    tested = fit.freedom > 0 and (model == "Davidson" or not counted.counts[2].any())
    return Scale(
        model=model,
        scores=[
            MethodScore(
                method=method,
                score=score,
                error=math.sqrt(spread.independent),
                error_clustered=(error := math.sqrt(spread.clustered)),
                low=score - (half := error * student_quantile(0.05, spread.freedom(groups))),
                high=score + half,
            )
            for method, score, spread in zip(counted.methods, fit.scores.tolist(), _spreads(fit, counted), strict=True)
        ],
        deviance=fit.deviance,
        freedom=fit.freedom,
        p_value=float(chdtrc(fit.freedom, max(0.0, fit.deviance))) if tested else None,
        tie=fit.tie if model == "Davidson" else None,
    )


def _refuse_none_left(checks: Sequence[RaterCheck]) -> None:
    if checks and all(check.failed for check in checks):
        first = checks[0]
        raise UserError(
            f"all raters ({len(checks)}) failed the rules, such as {first.rater}: {'; '.join(first.failed.values())}; "
            "nobody is left to analyse"
        )


def _fitted(counted: Tally, model: Model, prior: float) -> Fit:
    if model == "Davidson":
        return davidson(counted.wins(), counted.ties(), prior, counted.methods)
    wins = counted.wins() + counted.ties() / 2
    return (bradley_terry if model == "Bradley-Terry" else thurstone)(wins, prior, counted.methods)


def _answered(fit: Fit, groups: Float[np.ndarray, "g 3 p"]) -> Float[np.ndarray, "g a p"]:
    """Returns the counts as the model has them: a model without ties takes them as half a win for either."""
    answers: Float[np.ndarray, "g a p"] = groups if fit.tie else groups[:, :2] + groups[:, 2:] / 2
    return answers


def _spreads(fit: Fit, counted: Tally) -> list[Spread]:
    """Returns the squared errors of every score."""
    raters, images, both = (
        np.diag(fit.clustered(_answered(fit, group))).tolist() if len(group) > 1 else [None] * len(counted.methods)
        for group in (counted.by_rater, counted.by_image, counted.by_both)
    )
    return list(map(Spread, (fit.errors**2).tolist(), raters, images, both))


def _people(counted: Tally, model: Model, prior: float, shares: Float[np.ndarray, "b images"]) -> People:
    """Returns the scores and, to first order, those in resamples of the images."""
    fit = _fitted(counted, model, prior)
    moves = fit.moves(_answered(fit, counted.by_image))
    return People(fit.scores, fit.scores[:, None] + len(moves) * (shares @ moves).T, len(moves))


def _scales(counted: Tally, prior: float) -> tuple[list[Scale], list[str]]:
    tied = bool(counted.counts[2].any() and counted.counts[:2].any())
    models: tuple[Model, ...] = ("Davidson" if tied else "Bradley-Terry", "Thurstone")
    try:
        return [scale(counted, model, prior) for model in models], []
    except ValueError as error:
        return [], [f"There are no scores: {error}."]


def _doubts(checks: Sequence[RaterCheck], counted: Tally) -> list[str]:
    notes = []
    few = {"rater": len(counted.raters), "image": len(counted.images)}
    for noun, number in few.items():
        if number == 1:
            notes.append(f"All answers count as if of different {noun}s: there is one {noun} only.")
        elif number < 6:
            notes.append(f"{number} {noun}s are too few to say how much {noun}s differ: take the intervals as rough.")
    if sum(bool(check.failed) for check in checks) > len(checks) / 3:
        notes.append("More than a third of all raters failed the rules: look at the questions before the raters.")
    if all(check.catch_share is None for check in checks):
        notes.append("There were no catch trials: nothing shows that raters looked.")
    return notes
