"""Sums of losses in Python and in text: arithmetic, names, own classes, slips of the pen."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdloss.errors import SpecError
from pdloss.losses import L1, L2, PDL, Perceptual, objective
from pdloss.specs.trust import TYPED


def test_sums_in_python_and_in_text_are_the_same() -> None:
    in_python = L1() + 0.01 * PDL(features="vgg19.relu4_3") + 2 * (L2() + Perceptual(p=2) * 0.5)
    text = "l1 + 0.01*pdl(features='vgg19.relu4_3') + 2*l2 + perceptual(p=2)"
    assert str(in_python) == text
    assert objective(text) == in_python
    assert str(objective("l1 + 1/100*pdl")) == "l1 + 0.01*pdl"


def test_equal_terms_get_names_of_their_own() -> None:
    text = f"l1 + l1 + {__name__}:Charbonnier + l2 + {__name__}:Charbonnier + l1"
    assert objective(text, TYPED).names() == ["l1", "l1_2", "Charbonnier", "l2", "Charbonnier_2", "l1_3"]


class Charbonnier:
    """A user's own loss: a plain callable."""

    def __init__(self, epsilon: float = 1e-3) -> None:
        self.epsilon = epsilon

    def __call__(self, restored: Tensor, target: Tensor) -> Tensor:
        return ((restored - target).square() + self.epsilon**2).sqrt().mean()


def test_a_users_own_loss_joins_in() -> None:
    text = f"l1 + 0.5*{__name__}:Charbonnier(epsilon=0.25)"
    made = objective(text, TYPED)
    assert str(made) == text
    image = torch.rand(1, 3, 4, 4)
    terms = made.build()(image, image)
    assert terms.values["Charbonnier"].item() == pytest.approx(0.25)
    assert terms.total.item() == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l1 + 0.1*pld", "did you mean 'pdl'"),
        ("pdl(feature='x')", "did you mean 'features'"),
        ("l1 + no.such.module:Loss", "no.such.module:Loss"),
        ("pdl(features='vg16.relu4_3')", "did you mean 'vgg16'"),
        ("pdl(features='distilled.relu9_9')", "no layer 'relu9_9'"),
    ],
)
def test_a_slip_of_the_pen_is_pointed_at(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        objective(text).build()


OF_VERSION_0_1 = Path(__file__).with_name("texts_of_0_1.txt").read_text().splitlines()
"""Texts with every option, as that version wrote them into its run folders."""


@pytest.mark.parametrize("text", OF_VERSION_0_1)
def test_texts_of_earlier_runs_still_say_the_same(text: str) -> None:
    assert objective(text).in_full() == text
    assert str(objective(str(objective(text)))) == str(objective(text))
