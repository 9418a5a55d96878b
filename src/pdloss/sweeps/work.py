"""One job as commands of the program itself: what a slot, a cluster's worker or a person would type."""

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from pdloss.errors import RunError, SpecError
from pdloss.files import write_text
from pdloss.specs import read_sum
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.plan import PLACE

PROGRAM = (sys.executable, "-m", "pdloss")


def command(job: Job, processes: int = 1) -> list[str]:
    """Returns the process that does a job.

    Args:
        job: The job.
        processes: Of one training; several are started by torchrun.

    Raises:
        RunError: If the run's weight is to be calibrated and was not yet.
    """
    if processes == 1 or job.kind == "calibration":
        return [*PROGRAM, *arguments(job)]
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
    return [sys.executable, *torchrun, "-m", "pdloss", *arguments(job)]


def arguments(job: Job) -> list[str]:
    """Returns the words behind ``pdloss`` that do a job.

    Raises:
        RunError: If the run's weight is to be calibrated and was not yet.
    """
    if job.kind == "calibration":
        return ["calibrate", *words(job.options)]
    options = dict(job.options)
    if job.calibration is not None and job.share is not None:
        options["loss"] = calibrated_loss(job.calibration, str(options["loss"]), job.share)
    return ["train", *words(options), "--out", str(job.folder)]


def shown(job: Job) -> str:
    """Returns the command as one would type it; a weight that is yet to be found stands as its place."""
    if job.kind == "calibration":
        return shlex.join(["pdloss", "calibrate", *words(job.options)])
    return shlex.join(["pdloss", "train", *words(job.options), "--out", str(job.folder)])


def keep_calibrated_loss(job: Job, printed: str) -> None:
    """Writes down what ``pdloss calibrate`` printed last: the sum with its weights.

    Raises:
        RunError: If it printed nothing.
    """
    lines = printed.strip().splitlines()
    if not lines:
        raise RunError(f"{job.name}: pdloss calibrate printed no loss")
    write_text(job.folder, json.dumps({"loss": lines[-1].strip()}, indent=2))


def calibrated_loss(calibration: Job, loss: str, share: float) -> str:
    r"""Returns the loss with the weight that gives its last term a share :math:`s` of the pull.

    The calibration found the weight :math:`w` of half of it; the share's is :math:`w s / (1 - s)`.

    Args:
        calibration: What measured the pull.
        loss: With a place for the weight.
        share: Between 0 and 1.

    Raises:
        RunError: If the weight was not found yet, or its file is damaged.
    """
    try:
        found = json.loads(calibration.folder.read_text(encoding="utf-8"))["loss"]
        *_, (weight, _) = read_sum(found)
    except OSError as error:
        raise RunError(f"{calibration.folder} is not there yet: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, AttributeError, SpecError):
        raise RunError(f"{calibration.folder} is no result of a calibration; remove it to calibrate anew") from None
    return loss.replace(PLACE, f"{weight * share / (1 - share):.3g}")


def words(options: Mapping[str, Any]) -> list[str]:
    """Returns options as they are typed: ``{"batch": 8, "compile": True}`` → ``--batch 8 --compile``."""
    said: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            said.append(option)
        elif value is False:
            said.append(f"--no-{name.replace('_', '-')}")
        elif isinstance(value, list | tuple):
            said += [option, *map(str, value)]
        else:
            said += [option, str(value)]
    return said
