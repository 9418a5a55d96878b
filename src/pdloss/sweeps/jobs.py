"""A plan → the runs to make, each with a name that stays when values are added to the plan."""

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pdloss.sweeps.plan import PLACE, LossAxis, Plan, pulling
from pdloss.training.configuration import TrainConfig

LONGEST_NAME = 120


@dataclass(frozen=True)
class Job:
    """One training, or the calibration of one weight."""

    name: str
    kind: Literal["start", "calibration", "run"]
    options: Mapping[str, Any]
    """Of ``pdloss train`` or ``pdloss calibrate``; the loss may hold a place for a weight that is yet to come."""
    folder: Path
    """The run folder, or the calibration's file."""
    after: tuple["Job", ...] = ()
    """What must be done before."""
    share: float | None = None
    """Of the pull, by which a calibration finds the weight."""
    label: str = ""
    """Of a run: its loss as the plan calls it."""

    @property
    def calibration(self) -> "Job | None":
        """What finds this run's weight, if its share is given."""
        return next((job for job in self.after if job.kind == "calibration"), None)


def jobs_of(plan: Plan) -> list[Job]:
    """Returns every training of a plan: the common starts first, then calibrations, then runs.

    A start is shared by all runs that differ from it in loss, weight and seed alone; other axes have one each. Of a
    loss with seeds of its own the first runs stand with the others, all later ones behind: whoever stops early has
    every row once.
    """
    starts: dict[str, Job] = {}
    calibrations: dict[str, Job] = {}
    runs: dict[str, tuple[int, Job]] = {}
    for axes in _combinations(plan.axes):
        shared = {name: value for name, value in axes.items() if name != "seed"}
        begin = _start(plan, shared) if plan.start is not None else None
        if begin is not None:
            begin = starts.setdefault(begin.name, begin)
        for axis in plan.losses:
            for weight in axis.weights or (() if axis.shares else (None,)):
                text = axis.loss if weight is None else axis.loss.replace(PLACE, f"{weight:g}")
                words = [_label(axis), *([] if weight is None else [f"w{weight:g}"])]
                runs |= _seeded(plan, axes, axis, text, words, [begin] if begin else [])
            for share in axis.shares:
                assert begin is not None  # a plan with shares has a start
                found = _calibration(plan, shared, axis, begin)
                found = calibrations.setdefault(found.name, found)
                words = [_label(axis), f"share{share:g}"]
                made = _seeded(plan, axes, axis, axis.loss, words, [begin, found])
                runs |= {name: (place, replace(job, share=share)) for name, (place, job) in made.items()}
    in_turn = sorted(runs.values(), key=lambda placed: placed[0])
    return [*starts.values(), *calibrations.values(), *(job for _, job in in_turn)]


def _seeded(
    plan: Plan, axes: Mapping[str, Any], axis: LossAxis, loss: str, words: list[str], after: list[Job]
) -> dict[str, tuple[int, Job]]:
    """Returns a run for each of the loss's seeds, by name, with the seed's place; the plan's own seed is not named."""
    made = {}
    own = plan.train.get("seed", TrainConfig.seed)
    for place, seed in enumerate(axis.seeds or (None,)):
        told, named = ({}, words) if seed in (None, own) else ({"seed": seed}, [*words, f"seed{seed}"])
        job = _run(plan, axes, told, loss, named, after)
        made[job.name] = place, replace(job, label=_label(axis))
    return made


def _start(plan: Plan, axes: Mapping[str, Any]) -> Job:
    name = _name("start", axes)
    return Job(name, "start", {**plan.train, **axes, **(plan.start or {})}, plan.out / name)


def _calibration(plan: Plan, axes: Mapping[str, Any], axis: LossAxis, begin: Job) -> Job:
    """Returns what finds a loss's weight at half of the pull, from which those of all other shares follow."""
    name = _name(f"calibration-{_label(axis)}", axes)
    known = ("task", "data", "degradation", "batch", "crop", "device")
    options = {key: value for key, value in begin.options.items() if key in known}
    options |= {"loss": pulling(axis.loss), "share": 0.5, "init": begin.folder}
    return Job(name, "calibration", options, plan.out / "calibrations" / f"{name}.json", (begin,))


def _run(
    plan: Plan, axes: Mapping[str, Any], told: Mapping[str, Any], loss: str, words: list[str], after: list[Job]
) -> Job:
    name = _name("-".join(words), axes)
    options = {**plan.train, **axes, **told, "loss": loss}
    if after:
        options["init"] = after[0].folder
    return Job(name, "run", options, plan.out / name, tuple(after))


def _combinations(axes: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _name(words: str, axes: Mapping[str, Any]) -> str:
    """Returns a folder's name that says what differs, and nothing that is the same for all."""
    name = "-".join(
        [
            *(slug(f"{value}") if key in ("task",) else f"{key}{slug(f'{value}')}" for key, value in axes.items()),
            words,
        ]
    )
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _label(axis: LossAxis) -> str:
    return axis.name or slug(axis.loss)


def slug(text: str) -> str:
    """Returns the text as a part of a folder's name; texts that differ only in punctuation are told apart.

    Example:
        >>> slug("l1 + {weight}*pdl")
        'l1+pdl'
    """
    plain = re.sub(r"[^\w.+-]+", "-", re.sub(r"\s|\{weight\}\*", "", text)).strip("-")
    if len(plain) <= 40 and re.fullmatch(r"[\w.+-]+", re.sub(r"\s|\{weight\}\*", "", text)):
        return plain
    return f"{plain[:32]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
