"""A model as a repository of the Hub holds it: weights, configuration, card; nothing of the machine it was made on."""

import re
import tempfile
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from pdloss import __version__
from pdloss.assets import metadata, sha256
from pdloss.errors import RunError
from pdloss.evaluation import load_network
from pdloss.files import write_text
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.models.addresses import Repository
from pdloss.models.card import card, front_matter
from pdloss.models.packing import Model, made_public, model_header, model_in, stage_of, stages_of
from pdloss.models.scores import ModelScores, card_files
from pdloss.networks import NETWORKS
from pdloss.records import (
    MODEL_CARD,
    MODEL_CONFIG,
    MODEL_FILES,
    MODEL_WEIGHTS,
    ModelConfig,
    is_model_folder,
    read_record,
    write_record,
)
from pdloss.runs import RunFolder
from pdloss.specs import Own
from pdloss.specs.trust import TYPED

_Made: TypeAlias = tuple[Model, dict[str, Tensor]]
_LICENCE = re.compile(r"[\w.+-]+", re.ASCII)
_PATH = re.compile(r"""(?:^|[\s"'`(=,])((?:~|[A-Za-z]:)?[/\\][\w.~-]+[/\\][^\s"'`,)]*)""")
"""Two names of folders at least, from the root, a drive or a home on."""


def shared(
    place: Path, repository: Repository, *, data: str | None = None, licence: str | None = None
) -> dict[str, bytes]:
    """Returns the files of a model by name: of a run, of what `pack` wrote, or of a model folder, taken as they are.

    The weights are the very bits. Of records, names of files and folders and what is said of the machine are left out.

    Args:
        place: Run folder, file or model folder.
        repository: Where they are to go, for the card.
        data: What it was trained on, and on whose terms, in words; of a run it must be said.
        licence: Of the weights, as the Hub calls it, such as ``apache-2.0``; of a run it must be said.

    Raises:
        RunError: If it is none of these, is not finished, is a network of the user's own code, or would tell of a path
            on this machine; or if `data` or `licence` is not said.
        SpecError: If its network is not known.
    """
    if is_model_folder(place):
        return _of_folder(place)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, tensors = (_of_run if place.is_dir() else _of_file)(place, repository, data, licence)
        if not _LICENCE.fullmatch(model.licence):
            raise RunError(f"{model.licence!r} is no licence's name as the Hub has them, such as apache-2.0")
        write_tensors(folder / MODEL_WEIGHTS, tensors, model_header(model))
        write_record(folder / MODEL_CONFIG, _config(model))
        write_text(folder / MODEL_CARD, front_matter(model) + _card(model, place, folder / MODEL_WEIGHTS, repository))
        load_network(folder, torch.device("cpu"))
        files = {file: (folder / file).read_bytes() for file in MODEL_FILES}
        said = {
            MODEL_CARD: files[MODEL_CARD].decode(),
            MODEL_CONFIG: files[MODEL_CONFIG].decode(),
            MODEL_WEIGHTS: str(metadata(folder / MODEL_WEIGHTS)),
        }
    for file, text in said.items():
        if found := _PATH.search(text):
            raise RunError(f"{file} would tell of {found[1]}, a path on this machine: nothing is shared")
    return files


def _of_folder(folder: Path) -> dict[str, bytes]:
    """Returns the files of a model folder, if they make a network."""
    for file in MODEL_FILES:
        if not (folder / file).is_file():
            raise RunError(f"{folder} has no {file}, and a model that is shared has all of {', '.join(MODEL_FILES)}")
    load_network(folder, torch.device("cpu"))
    return {file: (folder / file).read_bytes() for file in MODEL_FILES}


def _of_file(file: Path, repository: Repository, data: str | None, licence: str | None) -> _Made:
    """Returns what a packed model says of itself, unless it is said here, and its tensors."""
    held = read_tensors(file)
    given = model_in(file, held.header)
    data, licence = data or given.data, licence or given.licence
    return made_public(given.name, given.stages, given.trained_on, data, licence, held.tensors), held.tensors


def _of_run(run: Path, repository: Repository, data: str | None, licence: str | None) -> _Made:
    """Returns what may be said of a run, and its newest weights."""
    folder = RunFolder(run)
    if isinstance(own := NETWORKS.parse(folder.record().network, TYPED), Own):
        raise RunError(f"{run} trained {own.path}, code of your own, which nobody else has: it cannot be shared so")
    if data is None or licence is None:
        raise RunError(
            "of a run, nothing says on whose terms it is shared: add --data 'what it was trained on, and on whose "
            "terms' and --licence, such as apache-2.0"
        )
    try:
        stages, pictures = stages_of(run)
    except RunError:
        stages, pictures = [stage_of(run)], {}
        if stages[0].record.init is None:
            raise
    weights = read_tensors(folder.latest_weights()[1]).tensors
    return made_public(repository.name.partition("/")[2], stages, pictures, data, licence, weights), weights


def _config(model: Model) -> ModelConfig:
    last = model.last
    return ModelConfig(
        made_by=f"pdloss {__version__}", network=last.network, task=last.task, degradation=last.degradation,
        crop=last.crop, loss=last.loss, parameters=model.parameters, licence=model.licence,
    )  # fmt: skip


def _card(model: Model, place: Path, weights: Path, repository: Repository) -> str:
    """Returns the card, with scores if those that lie beside a packed model are of these very weights."""
    measured, scores = card_files(place.parent, place.stem)[0], None
    if place.is_file() and measured.is_file():
        read = read_record(measured, ModelScores)
        scores = read if read.weights_sha256 == sha256(weights) else None
    return card(model, scores, weights.stat().st_size, address=str(repository))
