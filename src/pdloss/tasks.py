"""The restoration tasks: what each degrades by, restores with, and crops."""

from dataclasses import dataclass

from pdloss.specs import check_known


@dataclass(frozen=True)
class Task:
    """Defaults of one task, each overridden by the option of the same name."""

    degradation: str
    network: str
    crop: int


TASKS = {
    "denoise": Task(degradation="noise", network="srn", crop=128),
    "sr": Task(degradation="downscale(factor=4)", network="edsr(scale=4, upsampling='resize')", crop=192),
    "deblur": Task(degradation="blur | noise(sigma=0..5/255)", network="dsdeblur", crop=128),
    "jpeg": Task(degradation="jpeg", network="srn", crop=128),
    "demosaic": Task(degradation="mosaic", network="srn", crop=128),
}

DEFAULT_TASK = "denoise"
"""Where neither the user nor the run that a training goes on from says another."""


def task(name: str) -> Task:
    """Returns the task of that name.

    Raises:
        SpecError: If there is none.
    """
    check_known("task", name, TASKS)
    return TASKS[name]
