"""The protocol of a study: the options of ``pdloss study design``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pdloss.study.records import Plan, Reference, Rules

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, kw_only=True)
class StudyProtocol:
    """How a study is to be; the defaults follow the paper's protocol where it says anything."""

    crop: Positive = 512
    """Pixels along a crop's side."""
    rule: Literal["random", "disagreement", "boxes"] = "random"
    """Where crops are cut: anywhere, where the methods are furthest apart, or where --boxes says."""
    boxes: Path | None = None
    """JSON file with the upper left corner of each crop by file stem, such as {"0801": [120, 64]}."""
    images: Positive | None = None
    """Images used, drawn from all; by default all."""
    questions: Positive = 20
    """Comparisons for each rater."""
    raters: Positive = 25
    """Raters planned."""
    kind: Plan = "full"
    """Pairs on every image: all, a balanced part, or those that tell most after the answers so far."""
    catch: Count = 2
    """Catch trials for each rater, on top: the target against the same strongly degraded."""
    repeats: Count = 2
    """Comparisons of each rater that are asked again with the sides swapped."""
    identical: Count = 1
    """Pairs of the same picture twice, for each rater."""
    training: Count = 3
    """Questions with feedback before the others."""
    reference: Reference = "hidden"
    """Whether the target is shown between the two, at the press of a button, or not at all."""
    ties: bool = False
    """Allow "no difference" as an answer."""
    phones: bool = False
    """Let phones in."""
    seed: Count | None = None
    """Chooses crops, pairs, sides and order; by default drawn, and recorded."""
    title: str = "Which picture looks better?"
    """Heading of the page."""
    question: str | None = None
    """What is asked above every pair."""
    consent: Path | None = None
    """Text file shown first, paragraphs separated by empty lines."""
    completion: str | None = None
    """Code shown at the end, as Prolific gives one; by default each rater has their own."""
    rules: Rules = field(default_factory=Rules)
