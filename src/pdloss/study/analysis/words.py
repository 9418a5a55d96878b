"""An analysis in sentences: what it comes to, who counts, how far people agree, and how all of it was computed."""

from typing import NamedTuple

from pdloss.files.lists import all_of
from pdloss.study.analysis.coherence import Triads
from pdloss.study.analysis.preferences import shares_matrix
from pdloss.study.analysis.result import Analysis
from pdloss.study.analysis.tables import fit_words, range_text
from pdloss.tables.numerals import MINUS, number


class Finding(NamedTuple):
    """One number and what it means."""

    name: str
    value: str
    meaning: str


def headline(analysis: Analysis) -> list[str]:
    """Returns what the study comes to, the most important sentence first."""
    said = [_first_sentence(analysis)]
    tested = [metric for metric in analysis.agreement if metric.answers is not None]
    if len(tested) > 1:
        low, *_, high = sorted(tested, key=lambda metric: metric.answers or 0.0)
        said.append(
            f"Of the metrics, {high.label} agrees with people most, in {_percent(high.answers)} of answers, and "
            f"{low.label} least, in {_percent(low.answers)}."
        )
    return said


def _first_sentence(analysis: Analysis) -> str:
    best = _leader(analysis)
    others = [name for name in analysis.methods if name != best]
    found = dict.fromkeys(others, "apart")
    for one in analysis.preferences:
        if best in (one.first, one.second):
            won = "first" if best == one.first else "second"
            other = one.second if best == one.first else one.first
            found[other] = "level" if one.verdict == "unclear" else "behind" if one.verdict == won else "ahead"
    behind, level, apart, ahead = (
        [m for m in others if found[m] == how] for how in ("behind", "level", "apart", "ahead")
    )
    if level == others:
        return f"{best} comes out first, but is told apart from no other method: more answers are needed."
    if apart and not behind and not analysis.scales:
        return "The answers do not compare all methods with each other, so that none comes out first."
    if behind == others:
        return f"People prefer {best} to {'every other method' if len(others) > 1 else others[0]}."
    clauses = [f"People prefer {best} to {all_of(behind)}" if behind else f"{best} comes out first"]
    clauses += [f"it is not told apart from {all_of(level)}"] if level else []
    clauses += [f"it was not compared with {all_of(apart)}"] if apart else []
    clauses += [f"yet they prefer {all_of(ahead)} to it"] if ahead else []
    return "; ".join(clauses) + "."


def counting(analysis: Analysis) -> str:
    """Returns how many raters count, and by which rules."""
    rules, out = analysis.rules, sum(bool(check.failed) for check in analysis.raters)
    fixed = (
        f"at least {_percent(rules.min_catch_share)} of catch trials right, a median time of at least "
        f"{rules.min_seconds:g} s, at most {_percent(rules.max_side_share)} of answers on one side, and not "
        f"significantly fewer than {_percent(rules.min_repeat_share)} of mirrored repeats answered as before"
    )
    of = f"of {len(analysis.raters)} raters {'is' if out < 2 else 'are'} left out"
    which = "the rules fixed in the design" if analysis.rules_fixed else "the usual rules"
    return f"{out or 'None'} {of}, by {which}: {fixed}."


def findings(analysis: Analysis) -> list[Finding]:
    """Returns how far people agree, each number with its meaning."""
    found = []
    for scale in analysis.scales[:1]:
        if scale.p_value is not None:
            fits = scale.p_value >= 0.05
            found.append(
                Finding(
                    "Is there one scale?",
                    "yes" if fits else "not quite",
                    f"Scores alone explain the answers to all pairs {'well enough' if fits else 'badly'}: "
                    f"{fit_words(scale)}. Answers that hang together make it look worse.",
                )
            )
    c = analysis.coherence
    ranking = f" Consistence {number(c.consistence, 2)}, 1 for a clear ranking." if c.consistence is not None else ""
    for name, triads, meaning in (
        (
            "Circular triads, all answers",
            c.all,
            f"Triples of methods that go round, by the majority of all answers.{ranking}",
        ),
        ("Circular triads, single raters", c.raters, "Triples that go round by the majorities of one rater."),
        ("Circular triads, single images", c.single, "Triples that go round in what one rater answered on one image."),
    ):
        if triads.decided:
            found.append(Finding(name, _share(triads), f"{meaning} Choosing at random makes a quarter."))
    if c.alpha is not None:
        within = f" 95 % interval {range_text(c.alpha_low, c.alpha_high)}." if c.alpha_low is not None else ""
        meaning = "Agreement of raters on the same pair of the same image: 1 if all agree, 0 if as chance does."
        found.append(Finding("Krippendorff's alpha", number(c.alpha, 2), meaning + within))
    return found


def protocol(analysis: Analysis) -> list[str]:
    """Returns how everything was computed, as another would need it to get the same numbers."""
    model = analysis.scales[0].model if analysis.scales else "Bradley-Terry"
    prior = f", {analysis.prior:g} wins added on both sides of every compared pair" if analysis.prior else ""
    return [
        "Counted are comparisons of two methods by raters who failed no rule; catch trials, mirrored repeats and "
        "identical pairs serve the rules alone.",
        "Errors of shares: binomial; and by the bootstrap, which draws raters or else images with replacement, "
        f"{analysis.resamples:,} resamples with seed {analysis.seed}, enlarged by G / (G {MINUS} 1) for G of them. "
        "Both together: squared error over raters plus that over images less the binomial one, and not below the "
        "binomial (after Cameron, Gelbach and Miller, 2011). Intervals are Wilson's, with as many independent answers "
        "as have that error; where it is above the binomial one, with Student's t for one degree of freedom less than "
        "raters or images.",
        f"Scores: maximum likelihood of {model}'s model and of Thurstone's case V, summing to zero{prior}; errors from "
        "the expected information, and by the sandwich of each rater's and each image's answers, put together as "
        "above. Fit: likelihood ratio against one parameter for each pair.",
        "Krippendorff's alpha is nominal, over pairs on images, each taken both ways round. Agreement with a metric: "
        "share of answers, and of majorities on single images, for the method with the better score there; a tie of "
        "the metric counts half.",
    ]


def _leader(analysis: Analysis) -> str:
    """Returns the method with the highest score, or else with the highest mean share of answers."""
    if analysis.scales:
        return max(analysis.scales[0].scores, key=lambda one: one.score).method
    means = {}
    for method, row in zip(analysis.methods, shares_matrix(analysis.methods, analysis.preferences), strict=True):
        known = [share for share in row if share is not None]
        means[method] = sum(known) / len(known) if known else 0.0
    return max(means, key=means.__getitem__)


def _share(triads: Triads) -> str:
    return f"{triads.circular} of {triads.decided:,}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"
