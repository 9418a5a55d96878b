"""Which raters count: the rules fixed in the design, and what each rater did by them."""

import math
from collections.abc import Sequence
from statistics import median

from scipy.special import bdtr

from pdloss.records import Record
from pdloss.study.records import Answer, Rules

ENOUGH_SIDES = 10
"""Fewer answers say nothing of a rater's sides: four on one side come by chance once in eight times."""

UNLIKELY = 0.05
"""Below this chance, a rater is taken to be worse than the rule of the repeats, and not only unlucky."""


class RaterCheck(Record, frozen=True, kw_only=True):
    """What one rater did; shares are none where nothing of the kind was asked."""

    rater: str
    answers: int
    catch_share: float | None
    """Catch trials answered rightly."""
    median_seconds: float | None
    """None where no time was taken."""
    side_share: float | None
    """Answers on the side chosen more often, out of those on either."""
    repeat_share: float | None
    """Mirrored repeats answered as before."""
    failed: dict[str, str]
    """Rule to the reason for which the rater's answers do not count; empty for those that do."""


def rater_checks(answers: Sequence[Answer], rules: Rules) -> list[RaterCheck]:
    """Returns what every rater did by the rules, in the order of their first answers.

    A rule that nothing was asked for, such as that of catch trials in a study without any, leaves nobody out, and
    neither does that of the sides under `ENOUGH_SIDES` answers. That of the repeats leaves out only who is below it by
    more than chance: honest raters who see two equally good methods answer half of the repeats otherwise, so that both
    of two come out so for every fourth.
    """
    by_rater: dict[str, list[Answer]] = {}
    for answer in answers:
        by_rater.setdefault(answer.rater, []).append(answer)
    return [_check(rater, given, rules) for rater, given in by_rater.items()]


def kept_answers(answers: Sequence[Answer], checks: Sequence[RaterCheck]) -> list[Answer]:
    """Returns the comparisons of two methods by raters who failed no rule; checks and repeats have done their work."""
    kept = {check.rater for check in checks if not check.failed}
    return [answer for answer in answers if answer.kind == "pair" and answer.rater in kept]


def _check(rater: str, given: Sequence[Answer], rules: Rules) -> RaterCheck:
    seconds = [answer.seconds for answer in given if math.isfinite(answer.seconds)]
    catches = [answer.choice == answer.expected for answer in given if answer.expected is not None]
    repeats = _repeats(given)
    sides = [answer.choice for answer in given if answer.expected is None and answer.choice != "tie"]
    one_side = max(sides.count("left"), sides.count("right"))
    check = RaterCheck(
        rater=rater,
        answers=len(given),
        catch_share=sum(catches) / len(catches) if catches else None,
        median_seconds=median(seconds) if seconds else None,
        side_share=one_side / len(sides) if len(sides) >= ENOUGH_SIDES else None,
        repeat_share=sum(repeats) / len(repeats) if repeats else None,
        failed={},
    )
    failed = {}
    if check.catch_share is not None and check.catch_share < rules.min_catch_share:
        asked = f"at least {_percent(rules.min_catch_share)} asked for"
        failed["min_catch_share"] = f"{sum(catches)} of {len(catches)} catch trials right, {asked}"
    if check.median_seconds is not None and check.median_seconds < rules.min_seconds:
        asked = f"at least {rules.min_seconds:g} s asked for"
        failed["min_seconds"] = f"median time {check.median_seconds:.2g} s, {asked}"
    if check.side_share is not None and check.side_share > rules.max_side_share:
        asked = f"at most {_percent(rules.max_side_share)} allowed"
        failed["max_side_share"] = f"{one_side} of {len(sides)} answers on one side, {asked}"
    if check.repeat_share is not None and _below_chance(sum(repeats), len(repeats), rules.min_repeat_share):
        asked = f"at least {_percent(rules.min_repeat_share)} asked for"
        failed["min_repeat_share"] = f"{sum(repeats)} of {len(repeats)} repeats answered as before, {asked}"
    return RaterCheck(**{name: getattr(check, name) for name in check.__struct_fields__} | {"failed": failed})


def _repeats(given: Sequence[Answer]) -> list[bool]:
    """Returns for each repeated question whether the same method was chosen again."""
    first = {answer.question: answer for answer in given}
    return [
        chosen(answer) == chosen(first[answer.repeats])
        for answer in given
        if answer.repeats is not None and answer.repeats in first
    ]


def _below_chance(kept: int, asked: int, share: float) -> bool:
    """Returns whether fewer than 5 % of raters with just this share would keep so few."""
    return float(bdtr(kept, asked, share)) < UNLIKELY


def chosen(answer: Answer) -> str | None:
    """Returns the chosen method; none for a tie."""
    return {"left": answer.left, "right": answer.right, "tie": None}[answer.choice]


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
