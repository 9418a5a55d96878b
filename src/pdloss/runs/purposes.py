"""What a network is trained for: as the user says, else as the run that it goes on from, else as the task has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pdloss import degradations, networks, runs
from pdloss.assets import metadata
from pdloss.degradations import Chain
from pdloss.degradations.given import is_given
from pdloss.errors import AssetError, RunError, SpecError
from pdloss.records import MODEL_WEIGHTS, is_model_folder
from pdloss.runs.model_folder import model_config
from pdloss.specs import Choice
from pdloss.specs.trust import RECEIVED, Trust
from pdloss.tasks import DEFAULT_TASK, task


class TrainedFor(NamedTuple):
    """What a run, a model folder, or a file of weights, says that it was trained for; None where it does not tell."""

    place: Path
    task: str | None = None
    network: str | None = None
    degradation: str | None = None
    crop: int | None = None
    degraded: str | None = None
    """Where the degraded photographs of pairs were; told by runs only."""


@dataclass(frozen=True)
class Purpose:
    """What is trained for."""

    task: str
    network: Choice
    degradation: Chain
    crop: int
    why: str
    """Why it is this degradation."""


def trained_for(place: Path) -> TrainedFor:
    """Returns what a run folder, a model folder, or a file of weights, was trained for.

    Raises:
        RunError: If it is none of these.
    """
    if is_model_folder(place):
        config = model_config(place)
        return TrainedFor(place, config.task, config.network, config.degradation, config.crop)
    if place.is_dir():
        record = runs.RunFolder(place).record()
        return TrainedFor(place, record.task, record.network, record.degradation, record.crop, record.degraded)
    if not place.exists():
        raise RunError(f"{place} does not exist" if place.suffix == ".safetensors" else runs.no_run(place))
    try:
        said = metadata(place)
    except AssetError as error:
        raise RunError(str(error)) from None
    crop = said.get("crop", "")
    return TrainedFor(
        place, said.get("task"), said.get("network"), said.get("degradation"), int(crop) if crop.isdecimal() else None
    )


def weights_file(place: Path) -> Path:
    """Returns a run folder's newest weights, a model folder's, or the file itself.

    Raises:
        RunError: If the folder has none.
    """
    if is_model_folder(place):
        return place / MODEL_WEIGHTS
    return runs.RunFolder(place).latest_weights()[1] if place.is_dir() else place


def purpose(
    *,
    task_name: str | None,
    network: str | None,
    degradation: str | None,
    crop: int | None,
    begin: Path | None,
    pairs: Chain | None = None,
    typed: Trust = RECEIVED,
    received: Trust = RECEIVED,
) -> Purpose:
    """Returns what is trained for.

    The network goes on whatever the task; degradation and crop only where the task does.

    Args:
        task_name: As asked for; None for that of `begin`.
        network: The same.
        degradation: The same.
        crop: The same.
        begin: Run folder or file of weights that it goes on from.
        pairs: What stands for the degradation of pairs, if such are trained on.
        typed: What the texts asked for may name.
        received: What those of `begin` may name.

    Raises:
        UserError: If `begin` cannot be read, or was trained on pairs and nothing says what degrades now; or if a
            choice cannot be understood.
    """
    known = TrainedFor(Path()) if begin is None else trained_for(begin)
    name = task_name or known.task or DEFAULT_TASK
    defaults = task(name)
    goes_on = known.task in (name, None)
    if pairs is not None:
        chosen, why = pairs, "as the photographs are given"
    elif degradation is not None:
        chosen, why = degradations.parse(degradation, typed), "as asked for"
    elif goes_on and known.degradation is not None:
        chosen, why = _repeated(known, known.degradation, received), f"as {known.place} was trained"
    else:
        silent = begin is not None and known.degradation is None
        told = f"; {known.place} does not say what it was trained for" if silent else ""
        chosen, why = degradations.parse(defaults.degradation), f"the default of the task {name}{told}"
    if network is None:
        built = networks.NETWORKS.parse(known.network or defaults.network, received)
    else:
        built = networks.NETWORKS.parse(network, typed)
    networks.check_size(built)
    return Purpose(
        task=name,
        network=built,
        degradation=chosen,
        crop=crop or (known.crop if goes_on else None) or defaults.crop,
        why=why,
    )


def _repeated(known: TrainedFor, degradation: str, received: Trust) -> Chain:
    """Returns what degraded the photographs of a training that is gone on from.

    Raises:
        SpecError: If nothing did, since they were pairs.
    """
    if is_given(degradation):
        where = f"the pairs of {known.degraded}" if known.degraded else "pairs"
        raise SpecError(f"{known.place} was trained on {where}: give --degraded, or --degradation")
    return degradations.parse(degradation, received)
