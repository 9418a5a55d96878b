"""Trainings that are known by a name: what `TrainConfig` they start from; every option may still be given."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdloss import tasks
from pdloss.specs import check_known
from pdloss.training.recommendations import recommended


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


BUDGETS = ("cpu", "halfhour", "day")
"""A quarter of an hour on two processor cores; half an hour, or a day, on one GPU."""

_SMALL = "edsr(blocks=8, unshuffle=2)"


def budget(task: str, name: str) -> Recipe:
    """Returns how to train for a task with what time and machine there is.

    ``day`` has the paper's networks, but that EDSR ends in a resize, since its shuffle leaves a mesh, and the batch,
    crop, rate and length that their authors trained them with (the paper's own are not known); ``halfhour`` the same
    networks for a tenth of the steps or less, at a higher rate and on smaller crops. ``cpu`` has a network small enough
    to learn in minutes.

    Raises:
        SpecError: If there is no such budget or task.
    """
    defaults = tasks.task(task)
    check_known("budget", name, BUDGETS)
    enlarges = task == "sr"
    options: dict[str, Any] = {
        "task": task,
        "batch": 16,
        "lr": 1e-4,
        "loss": recommended(),
        "network": defaults.network,
    }
    match name:
        case "cpu":
            network = "edsr(scale=4, blocks=8, upsampling='resize')" if enlarges else _SMALL
            options |= {"network": network, "batch": 8, "lr": 5e-4, "steps": 2500}
            options |= {"crop": 128 if enlarges else 96}
            options |= {"degradation": "noise(sigma=50/255)"} if task == "denoise" else {}
        case "halfhour":
            options |= {"crop": 128, "lr": 2e-4, "steps": 15_000}
        case "day":
            options |= {"crop": 192 if enlarges else 256, "steps": 300_000}
    return Recipe(about=f"{task} in the budget {name}", options=options)


def recipe(name: str) -> Recipe:
    """Returns the recipe of that name.

    Raises:
        SpecError: If there is none.
    """
    check_known("recipe", name, RECIPES)
    return RECIPES[name]
