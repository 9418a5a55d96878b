"""Losses in few words."""

from pdloss.comparison.losses import brief, readable, terms_of

VGG, OWN = "pdl(features='vgg19.relu4_3', p=1)", "pdl(features='distilled.relu4_3', p=1)"
LOSSES = ("l1", f"l1 + 0.02*{VGG}", f"l1 + 0.001*{VGG}", f"l1 + 0.01*{OWN}", "l1 + 0.5*perceptual(p=2)")


def test_weights_are_taken_off_the_terms() -> None:
    found = {str(term): weight for term, weight in terms_of(f"0.5*l1 + 1.03e-05*{VGG} + 2*l1").items()}
    assert found == {"l1": 2.5, VGG: 1.03e-05}


def test_a_loss_is_told_with_what_distinguishes_it() -> None:
    assert [brief(loss, LOSSES) for loss in LOSSES] == [
        "l1",
        "l1 + 0.02·pdl(vgg19.relu4_3)",
        "l1 + 0.001·pdl(vgg19.relu4_3)",
        "l1 + 0.01·pdl(distilled.relu4_3)",
        "l1 + 0.5·perceptual",
    ]
    assert brief("l1 + 2*perceptual(p=2)", ["l1 + 2*perceptual(p=1)"]) == "l1 + 2·perceptual(p=2)"


def test_words_that_are_no_loss_stay_as_they_are_and_the_unknown_is_a_dash() -> None:
    assert brief("GAN, see their paper", LOSSES) == "GAN, see their paper"
    assert brief(None, LOSSES) == "\N{EM DASH}"
    assert readable("GAN, see their paper") is None
    assert readable(None) is None
