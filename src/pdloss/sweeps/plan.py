"""The plan of a sweep, as a TOML file says it::

    out = "runs/which-weight"          # folder of the runs

    [train]                            # options of `pdloss train`, the same for all
    task = "denoise"
    data = "photos"
    steps = 400

    [start]                            # trained first; all others go on from it. Overrides [train]
    loss = "l1"
    steps = 4000

    [[losses]]
    loss = "l1"

    [[losses]]
    name = "pdl"                       # in the names of its runs; by default made from the text
    loss = "l1 + {weight}*pdl"
    weight = "log 0.0003..0.01 x5"     # or [0.001, 0.003]
    share = [0.3, 0.6]                 # of the pull, calibrated once on the common start

    [[losses]]                         # the same loss again, at other weights
    name = "pdl"
    loss = "l1 + {weight}*pdl"
    weight = [0.02]
    seed = [0, 1, 2]                   # of this block alone; the first is trained with the others, the rest last

    [axes]                             # any option of `pdloss train`, each with the values to try
    seed = [0, 1, 2]

    [evaluate]                         # options of `pdloss evaluate`
    data = ["kodak24", "set14"]
    metrics = "psnr,lpips"             # or a list, a text for each of the folders

A plan is what the user types, so the texts in it are trusted as typed ones are.
"""

import dataclasses
import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pdloss.errors import RunError, SpecError
from pdloss.files import write_text
from pdloss.specs import read_sum, suggestion, sum_text
from pdloss.training.configuration import TrainConfig

PLACE = "{weight}"
"""Where the weight goes in the text of a loss."""

_NOT_OPTIONS = ("out", "init", "loss")
# of [train] and [axes]: a sweep sets these itself
_OPTIONS = tuple(f.name for f in dataclasses.fields(TrainConfig) if f.name not in _NOT_OPTIONS)
_STEPS = re.compile(r"log\s+(\S+?)\.\.(\S+)\s+x\s*(\d+)")


@dataclass(frozen=True)
class LossAxis:
    """One loss, at one or more weights."""

    loss: str
    name: str = ""
    weights: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    """Of this loss alone; the plan's where there are none."""


@dataclass(frozen=True)
class Plan:
    """What to train, and what to measure it on."""

    out: Path
    train: Mapping[str, Any]
    losses: tuple[LossAxis, ...]
    start: Mapping[str, Any] | None = None
    axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    evaluate: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.losses:
            raise SpecError('the plan names no loss; add [[losses]] with loss = "l1 + {weight}*pdl"')
        if self.start is None and any(axis.shares for axis in self.losses):
            raise SpecError('a share is calibrated on a common start: add [start], such as loss = "l1"')
        if "seed" in self.axes and any(axis.seeds for axis in self.losses):
            raise SpecError("seed stands in [axes] and in [[losses]]; say it once")


def read_plan(path: Path) -> Plan:
    """Returns the plan that a TOML file holds.

    Raises:
        SpecError: If it cannot be read, a key is unknown, or a value makes no sense; the message names the place.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"{path} is no TOML: {error}") from None
    try:
        return plan_from(values)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


KEPT = "plan.json"
"""What a sweep's folder keeps of its plan, so that a worker elsewhere needs nothing beside the folder."""


def plan_text(plan: "Plan") -> str:
    """Returns a plan as its folder keeps it."""
    return json.dumps(dataclasses.asdict(plan) | {"out": str(plan.out)}, indent=2, default=str)


def keep_plan(plan: "Plan") -> None:
    """Writes a plan into its folder."""
    write_text(plan.out / KEPT, plan_text(plan))


def kept_plan(folder: Path, file: Path = Path(KEPT)) -> "Plan":
    """Returns the plan that lies in a sweep's folder, or in another file.

    Raises:
        RunError: If there is none, or it is damaged.
    """
    try:
        values = json.loads((folder / file).read_text(encoding="utf-8"))
        losses = tuple(
            LossAxis(loss["loss"], loss["name"], *(tuple(loss[key]) for key in ("weights", "shares", "seeds")))
            for loss in values["losses"]
        )
        axes = {name: tuple(listed) for name, listed in values["axes"].items()}
        return Plan(folder, values["train"], losses, values["start"], axes, values["evaluate"])
    except OSError as error:
        raise RunError(
            f"{folder} is not the folder of a sweep: {folder / file} cannot be read: {error.strerror}"
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise RunError(f"{folder / file} is damaged; the same sweep writes it anew") from None


def plan_from(values: Mapping[str, Any]) -> Plan:
    """Returns the plan of nested values, as TOML gives them.

    Raises:
        SpecError: As `read_plan`.
    """
    _refuse_unknown(values, ("out", "train", "start", "losses", "axes", "evaluate"), "the plan")
    if not isinstance(values.get("out"), str) or not values["out"]:
        raise SpecError('the plan needs out = "FOLDER", where its runs are kept')
    train, axes = _table(values, "train"), _table(values, "axes")
    start = _table(values, "start") if "start" in values else None
    _refuse_unknown(train, _OPTIONS, "[train]")
    _refuse_unknown(start or {}, (*_OPTIONS, "loss"), "[start]")
    _refuse_unknown(axes, _OPTIONS, "[axes]")
    if twice := [name for name in axes if name in train]:
        raise SpecError(f"{twice[0]} stands in [train] and in [axes]; say it once")
    if "data" not in train and "data" not in axes:
        raise SpecError('[train] needs data = "PHOTOS", a folder of photographs')
    evaluate = _table(values, "evaluate") if "evaluate" in values else None
    if evaluate is not None:
        _refuse_unknown(evaluate, ("data", "degraded", "set", "metrics", "demosaic"), "[evaluate]")
        if not evaluate.get("data"):
            raise SpecError('[evaluate] needs data = ["PHOTOS"], folders of other photographs')
        _refuse_uneven(evaluate)
    return Plan(
        out=Path(values["out"]).expanduser(),
        train=train,
        start=None if start is None else {"loss": "l1", **start},
        losses=_loss_axes(values.get("losses", [])),
        axes={name: _distinct(listed, f"[axes] {name}") for name, listed in axes.items()},
        evaluate=evaluate,
    )


def _refuse_uneven(evaluate: Mapping[str, Any]) -> None:
    data, metrics = evaluate["data"], evaluate.get("metrics")
    if not isinstance(metrics, list):
        return
    if not isinstance(data, list) or len(metrics) != len(data):
        count = len(data) if isinstance(data, list) else 1
        raise SpecError(f"[evaluate] lists metrics of {len(metrics)} folders, and {count} in data; one text is for all")


def _loss_axes(listed: object) -> tuple[LossAxis, ...]:
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise SpecError('losses are written as [[losses]], one block each, with loss = "…" in it')
    axes: list[LossAxis] = []
    for item in listed:
        _refuse_unknown(item, ("name", "loss", "weight", "share", "seed"), "[[losses]]")
        text = item.get("loss")
        if not isinstance(text, str) or not text.strip():
            raise SpecError('[[losses]] needs loss = "…", such as "l1 + {weight}*pdl"')
        axis = LossAxis(
            text,
            _name(item.get("name", "")),
            _weights(item["weight"], text) if "weight" in item else (),
            _shares(item["share"], text) if "share" in item else (),
            _seeds(item["seed"], text) if "seed" in item else (),
        )
        wanted, given = PLACE in text, bool(axis.weights or axis.shares)
        if wanted != given:
            what = "needs weight = [...] or share = [...]" if wanted else f"has no {PLACE} for its weights to stand in"
            raise SpecError(f"the loss {text!r} {what}")
        _refuse_twins(axis, axes)
        axes.append(axis)
    return tuple(axes)


def _refuse_twins(axis: LossAxis, before: Iterable[LossAxis]) -> None:
    """Refuses what stands in the plan already: a loss at the same weight, or a name that means another loss."""
    for other in before:
        if other.loss != axis.loss:
            if axis.name and other.name == axis.name:
                raise SpecError(f"name of [[losses]] holds {axis.name!r} twice, for {other.loss!r} and {axis.loss!r}")
            continue
        twice = [*set(axis.weights) & set(other.weights), *set(axis.shares) & set(other.shares)]
        if twice or PLACE not in axis.loss:
            raise SpecError(f"[[losses]] holds {axis.loss!r} twice{f', at {twice[0]:g}' if twice else ''}")
        if other.name != axis.name:
            raise SpecError(f"[[losses]] calls {axis.loss!r} both {other.name!r} and {axis.name!r}; give it one name")


def _name(given: object) -> str:
    if not isinstance(given, str) or not re.fullmatch(r"[\w.+-]{0,40}", given) or given.startswith("."):
        raise SpecError(f"name = {given!r} of [[losses]] must be letters, digits, - + . and _, 40 at most")
    return given


def _weights(given: object, text: str) -> tuple[float, ...]:
    """Returns the weights of a list, or of "log LOW..HIGH xN": N weights, each the same factor above the one before.

    Example:
        >>> _weights("log 0.001..0.1 x3", "l1")
        (0.001, 0.01, 0.1)
    """
    if isinstance(given, str):
        said = _STEPS.fullmatch(given.strip())
        try:
            low, high, count = float(said[1]), float(said[2]), int(said[3])  # type: ignore[index]
        except (TypeError, ValueError):
            raise SpecError(
                f'weight = {given!r} of {text!r} is not "log LOW..HIGH xN", such as "log 0.0003..0.01 x5"'
            ) from None
        if not 0 < low < high < math.inf or not 2 <= count <= 100:
            raise SpecError(f"weight = {given!r} of {text!r}: 0 < LOW < HIGH, and from 2 to 100 weights")
        ratio = (high / low) ** (1 / (count - 1))
        given = [float(f"{low * ratio**i:.3g}") for i in range(count)]
    values = _distinct(given, f"weight of {text!r}")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and 0 < v < math.inf for v in values):
        raise SpecError(f"weight = {list(values)} of {text!r}: weights are positive numbers")
    return tuple(float(v) for v in values)


def _shares(given: object, text: str) -> tuple[float, ...]:
    values = _distinct(given, f"share of {text!r}")
    if not all(isinstance(v, float) and 0 < v < 1 for v in values):
        raise SpecError(f"share = {list(values)} of {text!r}: shares lie between 0 and 1, both excluded")
    pulling(text)
    return values


def pulling(text: str) -> str:
    """Returns the two terms that a share is of: the first, and the one whose weight is sought, taken once.

    Raises:
        SpecError: If the weight is not that of a later term.

    Example:
        >>> pulling("2*l1 + {weight}*pdl + 0.5*phase")
        '2*l1 + pdl'
    """
    terms, others = (read_sum(text.replace(PLACE, weight)) for weight in ("1", "2"))
    sought = [call for (weight, call), (other, _) in zip(terms, others, strict=True) if weight != other]
    if len(sought) != 1 or terms[0] != others[0]:
        raise SpecError(f"a share is that of one term beside the first: write {text!r} as l1 + {PLACE}*…")
    return sum_text([(terms[0][0], str(terms[0][1])), (1.0, str(sought[0]))])


def _seeds(given: object, text: str) -> tuple[int, ...]:
    values = _distinct(given, f"seed of {text!r}")
    if not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values):
        raise SpecError(f"seed = {list(values)} of {text!r}: seeds are whole numbers from 0 on")
    return values


def _distinct(listed: object, where: str) -> tuple[Any, ...]:
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise SpecError(f"{where} is a list of values, such as [0, 1, 2], not {listed!r}")
    for index, value in enumerate(listed):
        if value in listed[:index]:
            raise SpecError(f"{where} holds {value!r} twice")
    return tuple(listed)


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise SpecError(f"{name} is a table, written as [{name}]")
    return {key.replace("-", "_"): value for key, value in table.items()}


def _refuse_unknown(values: Iterable[str], known: Sequence[str], where: str) -> None:
    for name in values:
        if name not in known:
            raise SpecError(f"unknown key {name!r} in {where}{suggestion(name, known)}")
