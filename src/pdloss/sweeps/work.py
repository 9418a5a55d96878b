"""One job as commands of the program itself: what a slot, a cluster's worker or a person would type."""

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from pdloss.errors import RunError
from pdloss.files import write_text
from pdloss.sweeps.jobs import Job

PROGRAM = (sys.executable, "-m", "pdloss")


def arguments(job: Job) -> list[str]:
    """Returns the words behind ``pdloss`` that do a job.

    Raises:
        RunError: If the run's weight is to be calibrated and was not yet.
    """
    if job.kind == "calibration":
        return ["calibrate", *words(job.options)]
    options = dict(job.options)
    if job.calibration is not None:
        options["loss"] = calibrated_loss(job.calibration)
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


def calibrated_loss(calibration: Job) -> str:
    """Returns the loss with the weight that a calibration found.

    Raises:
        RunError: If it found none yet, or its file is damaged.
    """
    try:
        found = json.loads(calibration.folder.read_text(encoding="utf-8"))["loss"]
    except OSError as error:
        raise RunError(f"{calibration.folder} is not there yet: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        found = None
    if not isinstance(found, str):
        raise RunError(f"{calibration.folder} is no result of a calibration; remove it to calibrate anew")
    return found


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
