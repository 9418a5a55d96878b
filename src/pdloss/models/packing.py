"""A finished run → one small file that ships: weights in half precision, and in its header all that its card says."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import torch
from msgspec.structs import replace
from torch import Tensor

from pdloss.errors import RunError
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.models.measured import leaks
from pdloss.records import Record, RunRecord, TrainedOn, is_model_folder, read_log, write_record
from pdloss.runs import RunFolder
from pdloss.runs.purposes import weights_file

MOST_BYTES = 2_000_000
"""Of a file that ships."""
_HEADER = "model"


class Stage(Record, frozen=True, kw_only=True):
    """One training on the way to a model: the first from fresh weights, each of the others from the one before."""

    record: RunRecord
    seconds: float
    """Training time, over all sessions."""
    step: int


class Model(Record, frozen=True, kw_only=True):
    """What a model's file says of it."""

    name: str
    data: str
    """What it was trained on, and on whose terms."""
    licence: str
    stages: list[Stage]
    trained_on: dict[str, str]
    """``picture 1``, … to `pdloss.datasets.picture_hash`, of all stages; none where a stage does not tell."""
    parameters: int

    @property
    def last(self) -> RunRecord:
        """The record of its last training."""
        return self.stages[-1].record


def pack(run: Path, name: str, out: Path, *, data: str, licence: str = "Apache-2.0") -> Path:
    """Writes a run's newest weights as a model that ships, and returns its file.

    Args:
        run: Run folder; runs or models that it went on from must still be where its record says.
        name: Of the model.
        out: Folder to write ``NAME.safetensors`` to.
        data: What it was trained on, and on whose terms.
        licence: Of the weights.

    Raises:
        RunError: If the run is not finished, was trained on a picture of the sets that are measured on, does not tell
            on what it was trained, or makes too large a file; or if a run that it went on from is gone.
    """
    stages, pictures = stages_of(run)
    if not pictures:
        raise RunError(
            f"{run} does not tell which pictures it was trained on, so nobody can tell whether it was measured on them"
        )
    if found := leaks(pictures):
        raise RunError(
            f"{run} was trained on pictures that models are measured on: {', '.join(found[:3])}"
            f"{f' and {len(found) - 3} more' if len(found) > 3 else ''}; leave them out and train anew"
        )
    weights = read_tensors(RunFolder(run).latest_weights()[1]).tensors
    half = {key: each.half() if each.is_floating_point() else each for key, each in weights.items()}
    if odd := next((key for key, each in half.items() if each.is_floating_point() and not each.isfinite().all()), None):
        raise RunError(f"{odd} of {run} holds values too large for half precision")
    header = model_header(made_public(name, stages, pictures, data, licence, half))
    file = out / f"{name}.safetensors"
    size = 2 * sum(each.numel() for each in half.values()) + sum(map(len, header.values()))
    if size > MOST_BYTES:
        raise RunError(
            f"{name} would have {size:,} bytes, and a model that ships at most {MOST_BYTES:,}: train a smaller network"
        )
    write_tensors(file, half, header)
    return file


def model_of(file: Path) -> Model:
    """Returns what a model's file says of it.

    Raises:
        RunError: If it is no such file.
    """
    return model_in(file, read_tensors(file).header)


def model_in(file: Path, header: Mapping[str, str]) -> Model:
    """Returns what the header of a file says of a model.

    Raises:
        RunError: If it says nothing of one.
    """
    if _HEADER not in header:
        raise RunError(f"{file} is no model that pdloss models pack wrote")
    try:
        return msgspec.json.decode(header[_HEADER], type=Model)
    except msgspec.MsgspecError as error:
        raise RunError(f"{file} does not say what it is: {error}") from None


def unpack(file: Path, out: Path) -> RunFolder:
    """Writes a model as a run folder, so that it is evaluated as any run is, and returns that.

    Raises:
        RunError: If it is no model.
    """
    model = model_of(file)
    folder = RunFolder(out)
    step = model.stages[-1].step
    tensors = {
        key: each.to(torch.float32) if each.is_floating_point() else each
        for key, each in read_tensors(file).tensors.items()
    }
    write_tensors(folder.weights_file(step), tensors, {"format": "pt", "step": str(step)})
    write_record(folder.path / "photographs.json", TrainedOn(images=model.trained_on))
    write_record(folder.config, model.last)
    return folder


def stages_of(run: Path) -> tuple[list[Stage], dict[str, str]]:
    """Returns the trainings on the way to a run, the first one first, and the pictures of all.

    What a run went on from is a run too, or a model, which tells of those before it.

    Raises:
        RunError: If one of them is not finished, not there, or weights that do not tell.
    """
    stage = stage_of(run)
    before: list[Stage] = []
    pictures: dict[str, str] = {}
    if stage.record.init:
        place = Path(stage.record.init)
        if place.is_file() or is_model_folder(place):
            model = model_of(weights_file(place))
            before, pictures = model.stages, model.trained_on
        else:
            before, pictures = stages_of(place)
    seen = {f"{run}/{name}": each for name, each in RunFolder(run).photographs().items()}
    return [*before, stage], pictures | seen


def stage_of(run: Path) -> Stage:
    """Returns the one training of a run folder.

    Raises:
        RunError: If it is not finished.
    """
    folder = RunFolder(run)
    record = folder.record()
    step, _ = folder.latest_weights()
    if step < record.steps:
        raise RunError(f"{run} stands at step {step} of {record.steps}: train it to its end first")
    log = read_log(folder.log)
    return Stage(record=record, seconds=log[-1].seconds if log else 0.0, step=step)


def made_public(
    name: str,
    stages: Sequence[Stage],
    pictures: Mapping[str, str],
    data: str,
    licence: str,
    weights: Mapping[str, Tensor],
) -> Model:
    """Returns what may be said of a model in public: no name of a file or a folder, and nothing of the machine.

    Args:
        name: Of the model.
        stages: The trainings on the way to it.
        pictures: Name to `picture_hash` of what they saw.
        data: In words, in the place of every folder of photographs.
        licence: Of the weights.
        weights: Of which the parameters are counted.
    """
    public = []
    for place, stage in enumerate(stages):
        record = stage.record
        record = replace(
            record, data=data, degraded=record.degraded and data, init=f"training {place}" if place else None,
            valid=record.valid and "held out", valid_degraded=record.valid_degraded and "held out", machine={},
            network=without_folders(record.network), loss=without_folders(record.loss),
            degradation=without_folders(record.degradation),
            weights={without_folders(key): value for key, value in record.weights.items()},
        )  # fmt: skip
        public.append(replace(stage, record=record))
    if stages[0].record.init:  # of which nothing else is known
        public[0] = replace(public[0], record=replace(public[0].record, init="another training"))
    return Model(
        name=name, data=data, licence=licence, stages=public,
        trained_on={f"picture {place}": each for place, each in enumerate(dict.fromkeys(pictures.values()), 1)},
        parameters=sum(each.numel() for each in weights.values()),
    )  # fmt: skip


def without_folders(text: str) -> str:
    """Returns a choice as text with the names of files alone, where it has their paths.

    Example:
        >>> without_folders("shake(kernel='/home/anna/k.npz') | noise(sigma=25/255)")
        "shake(kernel='k.npz') | noise(sigma=25/255)"
    """
    return re.sub(r"""(['"])[^'"]*[/\\]([^'"/\\]*)\1""", r"\1\2\1", text)


def model_header(model: Model) -> dict[str, str]:
    """Returns the header of a model's file: all that its card says, and what who restores with it asks first."""
    last = model.last
    header = {key: str(getattr(last, key)) for key in ("network", "task", "degradation", "crop")}
    return header | {
        "format": "pt", "step": str(model.stages[-1].step), _HEADER: msgspec.json.encode(model).decode()
    }  # fmt: skip
