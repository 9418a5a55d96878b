"""Measures a model that ships, or is to, on each set by each of its task's protocols; writes scores and card."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image

from pdloss.assets import sha256
from pdloss.devices.provenance import versions
from pdloss.evaluation import Evaluator
from pdloss.files import write_atomically, write_text
from pdloss.models.card import card
from pdloss.models.packing import model_of, unpack
from pdloss.models.protocols import METRICS, protocols
from pdloss.models.scores import ModelScores, SetScores, card_files, set_scores
from pdloss.picture_files import read_uint8, written_names
from pdloss.picture_files.disagreement import disagreement, largest_square
from pdloss.picture_files.patterns import set_name
from pdloss.records import Metric, Scores, read_record, write_record

_SQUARE = 160

Progress = Callable[[str, int, int], object]


def evaluate_model(
    file: Path,
    data: Sequence[Path],
    out: Path,
    *,
    metric_names: Sequence[str] = METRICS,
    beside: Sequence[str] = (),
    device: str = "auto",
    progress: Progress = lambda what, done, total: None,
) -> ModelScores:
    """Measures a model, and writes ``NAME.json``, ``NAME.md`` and ``NAME.jpg`` to `out`, beside the run in ``NAME/``.

    The weights that are measured are those of the file, in half precision. What stands in the run and is unchanged is
    not measured again.

    Args:
        file: The model.
        data: Folders of clean photographs.
        out: Folder to write to.
        metric_names: What to measure.
        beside: Names of others that were measured in `out`, to compare with: of models, such as the one of the other
            loss, or of folders that ``pdloss score --out`` wrote of anybody's results, one score file for each set.
        device: As in training.
        progress: Told what is measured, and how many pictures of how many are done.

    Raises:
        UserError: If the model or the data cannot be used.
    """
    model = model_of(file)
    folder = unpack(file, out / model.name)
    rows: list[SetScores] = []
    metrics: dict[str, Metric] = {}
    shown: tuple[Scores, Path] | None = None
    for place in data:
        for protocol in protocols(model.last.task, model.last.degradation):
            name = set_name(place)
            called = f"{name}-{protocol.name}"
            evaluator = Evaluator(metric_names, degradation=protocol.degradation, device=device)
            done = evaluator(folder.path, place, name=called, progress=partial(progress, called))
            others = _measured(out, beside, called, done.scores)
            rows.append(set_scores(done.scores, name, protocol.name, others))
            metrics |= done.scores.metrics
            shown = shown or (done.scores, place)
    found = ModelScores(model=model.name, weights_sha256=sha256(file), metrics=metrics, sets=rows, versions=versions())
    scores, text, picture = card_files(out, model.name)
    write_record(scores, found)
    if shown is not None:
        _write_picture(picture, folder.path, *shown)
    write_text(text, card(model, found, file.stat().st_size, picture.name))
    return found


def _measured(out: Path, beside: Sequence[str], called: str, own: Scores) -> dict[str, Scores]:
    """Returns the scores of others on the same pictures, by name.

    Those of runs must have restored the same inputs; of anybody's results, whoever scored them says so.
    """
    found = {}
    for name in beside:
        place = out / name / "scores" / f"{called}.json"
        if not place.exists():
            continue
        other = read_record(place, Scores)
        targets = {image.name: image.target_sha256 for image in own.images}
        same = targets == {image.name: image.target_sha256 for image in other.images}
        if same and (other.method is not None or other.degradation == own.degradation):
            found[name] = other
    return found


def _write_picture(path: Path, run: Path, scores: Scores, place: Path) -> None:
    """Writes the square in which the model changed its input most: input, result, and what it should be."""
    names = written_names([image.name for image in scores.images])
    best: tuple[float, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] | None = None
    for image in scores.images:
        three = [run / kind / scores.set / names[image.name] for kind in ("degraded", "restored")]
        pictures = [read_uint8(each) for each in (*three, place / image.name)]
        height, width = pictures[1].shape[:2]
        pictures = [_at(each, width, height) for each in pictures]
        square = largest_square(disagreement(pictures[:2]), _SQUARE)
        if best is None or square.mean > best[0]:
            cut = [each[square.top : square.top + square.side, square.left :][:, : square.side] for each in pictures]
            best = square.mean, np.concatenate(cut, axis=1)
    if best is not None:
        made = PIL.Image.fromarray(best[1])
        write_atomically(path, lambda temporary: made.save(temporary, "JPEG", quality=90, subsampling="4:4:4"))


def _at(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], width: int, height: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    if picture.shape[0] < height // 2 + 1:  # an input that is enlarged
        return np.asarray(PIL.Image.fromarray(picture).resize((width, height), PIL.Image.Resampling.BICUBIC))
    return picture[:height, :width]  # what the factor does not divide is cut away
