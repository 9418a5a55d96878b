"""Trainings that are known by a name: what `TrainConfig` they start from; every option may still be given."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdloss.errors import SpecError
from pdloss.specs import suggestion


class Recipe(NamedTuple):
    """Options of a training, and where they are from."""

    about: str
    options: Mapping[str, Any]
    needs_init: bool = False
    """Whether it goes on from a trained network."""


RECIPES = {
    "srgan": Recipe(
        # Ledig et al. 2017: features of VGG19 after the last convolution, squared difference, times 0.006 in
        # torchvision's convention, which is 2e-6 in Caffe's; a thousandth of the critic. The pixel term is ours to keep
        # colours in place, as the released trainings of others have it.
        about="super-resolution with a critic, from a network trained on pixels (SRGAN, Ledig et al. 2017)",
        options={
            "task": "sr",
            "loss": "l1 + 2e-6*perceptual(features='vgg19.relu5_4', p=2) + 0.001*adversarial(critic='srgan(size=96)')",
            "crop": 96,
            "batch": 16,
            "lr": 1e-4,
            "steps": 200_000,
        },
        needs_init=True,
    ),
}


def recipe(name: str) -> Recipe:
    """Returns the recipe of that name.

    Raises:
        SpecError: If there is none.
    """
    if name not in RECIPES:
        raise SpecError(f"unknown recipe {name!r}{suggestion(name, RECIPES)}")
    return RECIPES[name]
