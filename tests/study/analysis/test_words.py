"""What an analysis comes to, in sentences that fit what was found."""

import msgspec
import pytest

from pdloss.study.analysis.result import Analysis, analyse
from pdloss.study.analysis.words import counting, findings, headline, protocol
from pdloss.study.simulation.raters import Population, simulate
from tests.study.made_up import METHODS, SCORES, choices, made_up_design, metric_scores

DESIGN = made_up_design()
FOUND = analyse(simulate(DESIGN, Population(SCORES), seed=1), DESIGN.rules, methods=METHODS, resamples=100)


def judged(**verdicts: str) -> Analysis:
    """Returns the analysis with pdl, which comes first, preferred to others, or not, or never compared."""
    against = {"first": "second", "second": "first"}  # pdl is the second of its pairs
    pairs = [
        msgspec.structs.replace(one, verdict=against.get(verdicts[one.first], "unclear"))
        for one in FOUND.preferences
        if one.second == "pdl" and verdicts[one.first] != "none"
    ]
    return msgspec.structs.replace(FOUND, preferences=pairs)


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (("first", "first", "first"), "People prefer pdl to every other method."),
        (("unclear", "unclear", "unclear"), "pdl comes out first, but is told apart from no other method: more answ"),
        (("first", "first", "unclear"), "People prefer pdl to none and l1; it is not told apart from contextual."),
        (("first", "none", "none"), "People prefer pdl to none; it was not compared with l1 and contextual."),
        (("unclear", "second", "none"), "pdl comes out first; it is not told apart from none; it was not compared with "
         "contextual; yet they prefer l1 to it."),
    ],
)  # fmt: skip
def test_the_first_sentence_says_what_stands(verdicts: tuple, sentence: str) -> None:
    assert headline(judged(**dict(zip(METHODS, verdicts, strict=False))))[0].startswith(sentence)


def test_of_two_methods_the_other_is_named() -> None:
    votes = "\n".join(f"r{i} {i} a>b" for i in range(30)) + "\nx x b>a"
    assert headline(analyse(choices(votes), resamples=50)) == ["People prefer a to b."]


def test_an_undefeated_method_comes_first_without_any_score() -> None:
    votes = "\n".join(f"r{i} {i} a>b" for i in range(30))
    assert headline(analyse(choices(votes), resamples=50)) == ["People prefer a to b."]


def test_methods_that_were_not_compared_have_no_first() -> None:
    found = analyse(choices("x 1 a>b\ny 1 b>a\nx 1 c>d\ny 1 d>c"), resamples=50)
    assert headline(found) == ["The answers do not compare all methods with each other, so that none comes out first."]


def test_the_best_and_the_worst_metric_are_named() -> None:
    good = metric_scores({name: [score] * 20 for name, score in SCORES.items()}, metric="good")
    bad = metric_scores({name: [-score] * 20 for name, score in SCORES.items()}, metric="bad")
    both = {
        name: msgspec.structs.replace(
            one,
            metrics=one.metrics | bad[name].metrics,
            images=[
                msgspec.structs.replace(image, restored=image.restored | other.restored)
                for image, other in zip(one.images, bad[name].images, strict=True)
            ],
        )
        for name, one in good.items()
    }
    targets = {image.id: image.target for image in DESIGN.images}
    found = analyse(simulate(DESIGN, Population(SCORES)), methods=METHODS, scores=both, targets=targets, resamples=50)
    share = round(100 * (found.agreement[0].answers or 0))
    assert headline(found)[1] == (
        f"Of the metrics, GOOD agrees with people most, in {share} % of answers, and BAD least, in {100 - share} %."
    )


def test_who_counts_and_by_whose_rules() -> None:
    assert counting(FOUND).startswith(
        "None of 25 raters is left out, by the rules fixed in the design: at least 100 % "
    )
    usual = analyse(simulate(DESIGN, Population(SCORES), cheaters=2), resamples=50)
    assert counting(usual).startswith("2 of 27 raters are left out, by the usual rules: ")


def test_findings_come_with_their_meaning() -> None:
    named = {finding.name: finding for finding in findings(FOUND)}
    assert named["Is there one scale?"].value in ("yes", "not quite")
    assert f"{FOUND.scales[0].deviance:.1f} on 3 degrees of freedom" in named["Is there one scale?"].meaning
    assert named["Circular triads, all answers"].value == f"{FOUND.coherence.all.circular} of 4"
    assert named["Krippendorff's alpha"].value == f"{FOUND.coherence.alpha:.2f}"
    assert findings(analyse(choices("x 1 a>b\ny 2 a>b"), resamples=50)) == []


def test_the_protocol_names_what_was_done() -> None:
    text = " ".join(protocol(msgspec.structs.replace(FOUND, prior=0.5)))
    assert "100 resamples with seed 0" in text
    assert "Bradley-Terry's model" in text
    assert "0.5 wins added on both sides" in text
    assert "wins added" not in " ".join(protocol(FOUND))
