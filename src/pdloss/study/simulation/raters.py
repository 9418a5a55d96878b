"""Raters made up, with known preferences and known vices: for dry runs, and to see that the analysis finds them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Literal

import numpy as np

from pdloss.errors import SpecError
from pdloss.specs import suggestion
from pdloss.study.planning.active import next_questions
from pdloss.study.records import DEGRADED, TARGET, Answer, Question, StudyDesign

CHECKED = {TARGET: 4.0, DEGRADED: -4.0}
"""Scores of what stands in catch trials: an honest rater takes the degraded picture for the target once in 3,000."""

SECONDS, FAST = 2.5, 0.25
"""Median times for an answer, of honest raters and of those who only click; both spread by a factor of about 1.6."""

CHEATERS = ("clicker", "one-sided", "guesser")
"""Who clicks at once, who stays on one side, and who takes their time and guesses."""

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Population:
    """Whom to simulate."""

    scores: Mapping[str, float]
    """Of every method, in units of the model."""
    model: Literal["bradley-terry", "thurstone"] = "bradley-terry"
    noise: float = 0.0
    """Share of answers given without looking."""
    tie: float = 0.0
    """Davidson's parameter: how easily raters see no difference, where the design lets them say so."""
    side_bias: float = 0.0
    """Added to the score of what stands on the left."""
    rater_spread: float = 0.0
    """Standard deviation of each method's score between raters."""
    image_spread: float = 0.0
    """Standard deviation of each method's score between images."""

    def check(self, methods: Sequence[str]) -> None:
        """Refuses scores that do not fit the methods, and shares that are none.

        Raises:
            SpecError: With what is wrong.
        """
        for name in self.scores:
            if name not in methods:
                raise SpecError(f"there is no method {name!r} in the design{suggestion(name, methods)}")
        if missing := [name for name in methods if name not in self.scores]:
            raise SpecError(f"the preferences lack {', '.join(missing)}; give each method a score, such as 0")
        if not 0 <= self.noise <= 1:
            raise SpecError(f"the noise is the share of answers at random, between 0 and 1, got {self.noise:g}")
        if min(self.tie, self.rater_spread, self.image_spread) < 0:
            raise SpecError("spreads and the ease of ties are not negative")
        sizes = self.tie, self.side_bias, self.rater_spread, self.image_spread, *self.scores.values()
        if not all(map(math.isfinite, sizes)):
            raise SpecError("scores, spreads, biases and the ease of ties are finite numbers")


def simulate(
    design: StudyDesign, population: Population, raters: int | None = None, cheaters: int = 0, seed: int = 0
) -> list[Answer]:
    """Returns the answers of made-up raters to a design; some of them cheat.

    Rater i follows schedule i, from the first one again where there are more raters than schedules; of an active design
    each rater is asked what tells most after the answers of those before. Mirrored repeats are answered anew, as honest
    raters do. Cheaters take turns in the ways of `CHEATERS`, and their names say so.

    Args:
        design: What is asked.
        population: Who answers.
        raters: How many are honest; by default as many as planned.
        cheaters: How many more are not.
        seed: Of numpy's PCG64.

    Raises:
        SpecError: If the population does not fit the design, or nobody is asked anything.
    """
    population.check(design.methods)
    if not any(design.schedules):
        raise SpecError("the design has no schedules to follow")
    stream = np.random.default_rng(seed)
    of_images = {image.id: _drawn(design.methods, population.image_spread, stream) for image in design.images}
    planned = _Planned(design, np.random.default_rng([design.seed, seed]))
    answers = list[Answer]()
    honest = len(design.schedules) if raters is None else raters
    for number in range(honest + cheaters):
        vice = None if number < honest else CHEATERS[(number - honest) % len(CHEATERS)]
        name = f"rater-{number + 1:03d}" if vice is None else f"{vice}-{number - honest + 1:03d}"
        asked = planned.questions(number)
        if vice is None:
            own = _drawn(design.methods, population.rater_spread, stream)
            chances = np.array([_chances(q, population, own, of_images, design.ties) for q in asked])
        else:
            chances = np.tile(_cheating(vice, stream), (len(asked), 1))
        choices = (stream.random((len(asked), 1)) > np.cumsum(chances, axis=1)[:, :2]).sum(axis=1)
        middle = FAST if vice == "clicker" else SECONDS
        seconds = np.exp(stream.normal(math.log(middle), 0.5, len(asked)))
        given = _session(name, asked, choices.tolist(), seconds.tolist(), _BEGINNING + timedelta(hours=number))
        planned.note(given)
        answers += given
    return answers


class _Planned:
    """What each rater is asked: a schedule, or, of an active design, what tells most so far."""

    def __init__(self, design: StudyDesign, stream: np.random.Generator) -> None:
        self.design, self.stream = design, stream
        self.by_id = {question.id: question for question in design.questions}
        self.place = {name: i for i, name in enumerate(design.methods)}
        self.wins = np.zeros((len(self.place), len(self.place)))
        self.asked = Counter[str]()

    def questions(self, number: int) -> list[Question]:
        """Returns the questions of a rater, in order."""
        plan = self.design.schedules[number % len(self.design.schedules)]
        if self.design.kind == "active":
            plan = next_questions(self.design, plan, self.wins, self.asked, self.stream)
        return [self.by_id[name] for name in plan]

    def note(self, given: Sequence[Answer]) -> None:
        """Counts a rater's answers, a tie as half a win for either."""
        self.asked.update(answer.question for answer in given)
        for answer in given:
            if answer.kind == "pair":
                left, right = self.place[answer.left], self.place[answer.right]
                share = {"left": 1.0, "right": 0.0, "tie": 0.5}[answer.choice]
                self.wins[left, right] += share
                self.wins[right, left] += 1 - share


def _drawn(methods: Sequence[str], spread: float, stream: np.random.Generator) -> dict[str, float]:
    return dict(zip(methods, stream.normal(0, spread, len(methods)).tolist(), strict=True))


def _chances(
    question: Question,
    population: Population,
    own: Mapping[str, float],
    of_images: Mapping[str, Mapping[str, float]],
    ties: bool,
) -> tuple[float, float, float]:
    """Returns the chances of left, right and tie."""
    left, right = (
        CHECKED[name] if name in CHECKED else population.scores[name] + own[name] + of_images[question.image][name]
        for name in (question.left, question.right)
    )
    difference = left - right + population.side_bias
    nu = population.tie if ties and question.expected is None else 0.0
    if population.model == "thurstone":
        wins = _NORMAL.cdf(difference)
        weights = wins, 1 - wins, nu * math.sqrt(wins * (1 - wins))
    else:
        far = abs(difference) / 2  # taken off all exponents, so that none overflows
        weights = math.exp(difference / 2 - far), math.exp(-difference / 2 - far), nu * math.exp(-far)
    looked, guessed = (1 - population.noise) / sum(weights), population.noise / 2
    return looked * weights[0] + guessed, looked * weights[1] + guessed, looked * weights[2]


def _cheating(vice: str, stream: np.random.Generator) -> tuple[float, float, float]:
    """Returns the chances of left, right and tie, whatever is shown."""
    if vice == "one-sided":
        return (0.98, 0.02, 0.0) if stream.random() < 0.5 else (0.02, 0.98, 0.0)
    return (0.5, 0.5, 0.0)


def _session(
    rater: str, asked: Sequence[Question], choices: Sequence[int], seconds: Sequence[float], begun: datetime
) -> list[Answer]:
    answers, at = [], begun
    for position, (question, choice, took) in enumerate(zip(asked, choices, seconds, strict=True)):
        at += timedelta(seconds=took)
        answers.append(
            Answer(
                rater=rater,
                question=question.id,
                position=position,
                kind=question.kind,
                image=question.image,
                left=question.left,
                right=question.right,
                choice=("left", "right", "tie")[choice],
                seconds=round(took, 3),
                at=at.isoformat(timespec="milliseconds"),
                repeats=question.repeats,
                expected=question.expected,
            )
        )
    return answers
