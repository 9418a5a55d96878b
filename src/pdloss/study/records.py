"""What a study writes down: the design, made once and never changed, and the answers given to it."""

from typing import Annotated, ClassVar, Literal

import msgspec

from pdloss.records import Record

FORMAT = 1
"""Of ``design.json``; raised when an older reader would misunderstand it."""

TARGET, DEGRADED = "target", "degraded"
"""What stands beside the methods among an image's files: what it should be, and the same strongly degraded."""

Side = Literal["left", "right"]
Kind = Literal["pair", "catch", "repeat", "identical"]
Plan = Literal["full", "balanced", "active"]
Reference = Literal["shown", "demand", "hidden"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class StudyImage(Record, frozen=True, kw_only=True):
    """One crop, cut alike from the target and from every method's picture."""

    id: str
    target: str
    """File name of the target."""
    x: int
    y: int
    w: int
    h: int
    """The crop, in pixels from the upper left corner."""
    files: dict[str, str]
    """Method, ``"target"`` or ``"degraded"`` to the file in ``crops/``, whose name says nothing."""
    sha256: dict[str, str]
    """File to its hash."""


class Question(Record, frozen=True, kw_only=True):
    """Two crops side by side; the same question may be put to several raters."""

    id: str
    kind: Kind
    image: str
    left: str
    """A method; in a catch trial ``"target"`` or ``"degraded"``; of an identical pair the same on both sides."""
    right: str
    expected: Side | None = None
    """The right answer, where there is one."""
    repeats: str | None = None
    """The question that this one is the mirror image of."""


class Rules(Record, frozen=True, kw_only=True):
    """By which raters are left out, fixed before anyone answers; a share is of the rater's own answers."""

    min_catch_share: Share = 1.0
    """Catch trials answered rightly, at least."""
    min_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    """Median time for an answer, at least."""
    max_side_share: Share = 0.9
    """Answers on the same side, at most."""
    min_repeat_share: Share = 0.5
    """Mirrored repeats answered as before, at least."""


class Page(Record, frozen=True, kw_only=True):
    """What raters read, and on which screens."""

    consent: str
    """Shown first; paragraphs are separated by empty lines."""
    question: str
    """Shown above every pair."""
    phones: bool = False
    """Whether phones are let in."""
    completion: str | None = None
    """The code shown at the end; by default each rater has one of their own."""


class StudyDesign(Record, frozen=True, kw_only=True):
    """``design.json``: everything that is asked, of whom and in which order, before the first answer."""

    sealed: ClassVar[bool] = True
    format: int = FORMAT
    title: str
    seed: int
    """Chooses crops, pairs, sides and order; not the names of files and questions, which nobody shall foresee."""
    created: str
    """UTC, ISO 8601."""
    crop: int
    """Pixels along a crop's side."""
    questions_per_rater: int = 20
    """Comparisons of two methods; catch trials, repeats and identical pairs come on top."""
    repeats_per_rater: int = 2
    raters: int = 25
    reference: Reference = "hidden"
    kind: Plan = "full"
    ties: bool = False
    """Whether raters may say that they see no difference."""
    methods: list[str]
    """Real names, which no rater's page ever receives."""
    images: list[StudyImage]
    questions: list[Question]
    schedules: list[list[str]]
    """Questions by id, in order, for each planned rater; of an active design only the checks, the rest is chosen when
    the rater begins."""
    training: list[Question]
    """Asked first, with feedback; their answers are not kept."""
    rules: Rules = Rules()
    page: Page


class Answer(Record, frozen=True, kw_only=True):
    """One row of the export: one choice of one rater."""

    rater: str
    question: str
    position: int
    """Place in the rater's session, from 0."""
    kind: Kind
    image: str
    left: str
    right: str
    choice: Literal["left", "right", "tie"]
    seconds: float
    """From both crops being visible to the choice."""
    at: str
    """UTC, ISO 8601, when the server received it."""
    repeats: str | None = None
    expected: Side | None = None
