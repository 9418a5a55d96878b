"""Who counts: each rule by itself, at its edge, and over populations."""

from dataclasses import replace

import msgspec
import pytest

from pdloss.study.analysis.exclusions import ENOUGH_SIDES, RaterCheck, kept_answers, rater_checks
from pdloss.study.planning.schedules import Checks
from pdloss.study.records import Answer, Rules
from pdloss.study.simulation.raters import CHEATERS, Population, simulate
from tests.study.made_up import RULES, SCORES, made_up_design


def answer(number: int, choice: str = "left", kind: str = "pair", seconds: float = 2.0, **changes) -> Answer:
    known = {"image": "i", "left": "a", "right": "b", "rater": "x", "at": "", "question": f"q{number}"}
    return Answer(**known | {"position": number, "kind": kind, "choice": choice, "seconds": seconds} | changes)


def only(answers: list[Answer], rules: Rules = RULES) -> RaterCheck:
    (check,) = rater_checks(answers, rules)
    return check


def alternating(count: int = 12, **changes) -> list[Answer]:
    return [answer(i, ("left", "right")[i % 2], **changes) for i in range(count)]


def test_who_breaks_no_rule_counts() -> None:
    check = only(alternating())
    assert check.failed == {}
    assert (check.answers, check.side_share, check.median_seconds) == (12, 0.5, 2.0)
    assert check.catch_share is None
    assert check.repeat_share is None


def test_failed_catch_trials_are_counted() -> None:
    caught = [answer(20 + i, "left", "catch", expected=("left", "right")[i == 0]) for i in range(4)]
    check = only([*alternating(), *caught])
    assert check.catch_share == 0.75
    assert check.failed == {"min_catch_share": "3 of 4 catch trials right, at least 100 % asked for"}
    assert only([*alternating(), *caught], Rules(min_catch_share=0.75)).failed == {}


def test_a_tie_is_no_right_answer_to_a_catch_trial() -> None:
    assert only([answer(0, "tie", "catch", expected="left")]).catch_share == 0.0


def test_the_median_time_decides() -> None:
    slow_once = [*alternating(seconds=0.4), answer(99, "right", seconds=60.0)]
    assert only(slow_once).failed == {"min_seconds": "median time 0.4 s, at least 0.5 s asked for"}
    assert only(alternating(seconds=0.5)).failed == {}
    assert only(alternating(seconds=float("nan"))).median_seconds is None


def test_staying_on_one_side_is_found_whichever_it_is() -> None:
    for side, other in (("left", "right"), ("right", "left")):
        mostly = [answer(i, other if i == 0 else side) for i in range(20)]
        assert only(mostly).failed == {"max_side_share": "19 of 20 answers on one side, at most 90 % allowed"}
        assert only([*mostly[1:], answer(30, other), answer(31, other)]).side_share == pytest.approx(19 / 21)


def test_few_answers_say_nothing_of_sides() -> None:
    few = [answer(i) for i in range(ENOUGH_SIDES - 1)]
    assert only(few).side_share is None
    assert only([*few, answer(99)]).failed.keys() == {"max_side_share"}


def test_ties_are_on_no_side() -> None:
    ties = [answer(100 + i, "tie") for i in range(20)]
    assert only([*alternating(), *ties]).side_share == 0.5


def repeats(kept: int, changed: int) -> list[Answer]:
    """A left answer to a pair is repeated by a right one to its mirror image."""
    first = [answer(i, ("left", "right")[i % 2]) for i in range(kept + changed)]
    again = []
    for i, one in enumerate(first):
        mirrored = {"left": "right", "right": "left"}[one.choice]
        choice = mirrored if i < kept else one.choice
        again.append(answer(50 + i, choice, "repeat", left="b", right="a", repeats=one.question))
    return first + again


def test_repeats_are_kept_by_the_method_and_not_by_the_side() -> None:
    assert only(repeats(3, 1)).repeat_share == 0.75
    assert only(repeats(0, 2)).repeat_share == 0.0


def test_repeats_leave_out_only_beyond_chance() -> None:
    """Of four repeats, none is kept by one in sixteen who toss a coin; of five, by one in 32."""
    assert only(repeats(0, 4)).failed == {}
    assert only(repeats(0, 5)).failed == {
        "min_repeat_share": "0 of 5 repeats answered as before, at least 50 % asked for"
    }
    assert only(repeats(0, 1), Rules(min_repeat_share=1.0)).failed.keys() == {"min_repeat_share"}
    assert only(repeats(0, 8), Rules(min_repeat_share=0.0)).failed == {}


def test_only_comparisons_of_raters_who_count_are_kept() -> None:
    good = [*alternating(), answer(60, "left", "identical", right="a"), *repeats(2, 0)[2:]]
    bad = [msgspec.structs.replace(one, rater="y", seconds=0.1) for one in alternating()]
    kept = kept_answers([*good, *bad], rater_checks([*good, *bad], Rules()))
    assert kept == alternating()


DESIGN = made_up_design(checks=Checks(catch=4, repeats=6, identical=1), each=30, images=30)


def test_cheaters_are_found() -> None:
    answers = simulate(DESIGN, Population(SCORES), raters=0, cheaters=90, seed=3)
    checks = rater_checks(answers, DESIGN.rules)
    failed = {
        vice: [c.failed for c in checks if c.rater.startswith(vice)] for vice in ("clicker", "one-sided", "guess")
    }
    assert all("min_seconds" in f for f in failed["clicker"])
    assert sum("max_side_share" in f for f in failed["one-sided"]) >= 28
    assert all(failed["one-sided"])
    # Four catch trials are guessed rightly by one in sixteen: 28 of 30 are found, give or take 3 standard errors.
    assert sum(map(bool, failed["guess"])) >= 30 * 15 / 16 - 3 * (30 * 15 / 256) ** 0.5


def test_the_usual_two_catch_trials_find_three_guessers_of_four() -> None:
    """And all who click at once or stay on one side, with the checks that a design has by default."""
    usual = made_up_design()
    checks = rater_checks(simulate(usual, Population(SCORES), raters=0, cheaters=300, seed=2), usual.rules)
    found = {vice: [bool(c.failed) for c in checks if c.rater.startswith(vice)] for vice in CHEATERS}
    assert all(found["clicker"])
    assert sum(found["one-sided"]) >= 97
    assert sum(found["guesser"]) == pytest.approx(75, abs=4 * (100 * 0.75 * 0.25) ** 0.5)


def test_honest_raters_are_let_be() -> None:
    """Even where two methods are equally good, so that repeats come out either way."""
    equal = dict.fromkeys(SCORES, 0.0)
    for population in (Population(SCORES), Population(equal), replace(Population(equal), rater_spread=0.5)):
        answers = simulate(DESIGN, population, raters=200, seed=1)
        out = [check for check in rater_checks(answers, DESIGN.rules) if check.failed]
        assert len(out) <= 200 * 0.05
