"""Scores of anybody's pictures: two folders, paired by the files' paths in them, and no run at all."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pdloss.assets import sha256
from pdloss.datasets.prefetch import ahead
from pdloss.devices import chosen_device
from pdloss.errors import ImageError, SpecError
from pdloss.evaluation import scoring
from pdloss.evaluation.defaults import FOLDER_METRICS
from pdloss.evaluation.inputs import files_sha256
from pdloss.evaluation.scoring import Measures, SetTotals
from pdloss.files.spelling import as_path, spelled
from pdloss.images import pixels_sha256, read_pixels, write_image
from pdloss.memory import enough_memory
from pdloss.picture_files import written_names
from pdloss.picture_files.listing import listed
from pdloss.picture_files.patterns import matched, pictures_of
from pdloss.records import NOT_KNOWN, ImageScores, Method, Scores, read_record, write_record

_LESS = "leave it out or cut both pictures smaller, or use --device cpu where the processor has more memory"


class FolderScores(NamedTuple):
    """The scores, and what must be said with them."""

    scores: Scores
    notes: list[str]


class FilePair(NamedTuple):
    """A restored picture's file and its target's."""

    restored: Path
    target: Path
    name: str
    """Of the target: its path from its folder."""


def score(
    restored: Path,
    target: Path,
    *,
    metric_names: Sequence[str] = FOLDER_METRICS,
    device: str = "auto",
    niqe_model: Path | None = None,
    method: Method | None = None,
    out: Path | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> FolderScores:
    """Returns the scores of the pictures in `restored`, each against the one of its name in `target`.

    With `out`, the scores and the pictures are also written as evaluation writes those of a run:
    ``scores/<set>.json`` and ``restored/<set>/*.png``. Such a folder can be compared, reported on and studied beside
    runs.

    All files are read once before anything is scored, so that a mistake shows at once; of the pictures, only those in
    work are in memory.

    Args:
        restored: Folder of pictures with all below it, or a pattern such as ``results/*/deblurred``.
        target: What they should be: a folder, or a pattern such as ``GOPRO/test/*/sharp``.
        metric_names: Names from `pdloss.metrics.METRICS` or `pdloss.metrics.sets.SET_METRICS`.
        device: Such as ``cpu`` or ``cuda``; by default a GPU if there is one.
        niqe_model: File with a model of one's own for `niqe`, as ``pdloss niqe fit`` writes it.
        method: Whose pictures they are, as far as that is known; by default the folder's name.
        out: Folder for the scores and the pictures; one that holds a run, or another method's scores of the set, is
            refused.
        progress: Told of every pair done.

    Raises:
        ImageError: If a picture has no partner or another size than it, or is damaged, or a folder is empty, or no
            metric can be had of these pictures.
        SpecError: If a metric is unknown, or the device or `out` cannot be used.
    """
    scoring.check_names(metric_names)
    method = method or Method(name=spelled(_name(restored.resolve(), target.resolve())))
    started, chosen = time.monotonic(), chosen_device(device)
    pairs, root, passed = paired(restored, target)
    set_name = root.name
    if out is not None:
        _refuse_others(out, set_name, method)
    side, converted = _checked(pairs)
    ready, notes = scoring.ready(metric_names, chosen, niqe_model)
    measures, left_out = ready.fitting(side, len(pairs))
    scoring.refuse_nothing(measures, [*notes, *left_out])
    totals = SetTotals(measures)
    kept = None if out is None else out / "restored" / set_name
    images = []
    for image in _scored(pairs, measures, totals, chosen, kept):
        images.append(image)
        if progress:
            progress(len(images), len(pairs))
    scores = _record(method, root, pairs, images, measures, totals, started)
    if out is not None:
        write_record(out / "scores" / f"{set_name}.json", scores)
    return FolderScores(scores, [*notes, *left_out, *converted, *passed])


def paired(restored: Path, target: Path) -> tuple[list[FilePair], Path, list[str]]:
    """Returns the pairs of files, in the targets' order; the targets' folder; and what was passed over in either.

    Files belong together as `pdloss.picture_files.patterns.matched` says: by their paths, without the suffix.

    Raises:
        ImageError: If a folder holds no image, or a file has no partner; the message names it.
    """
    ones, others = pictures_of(restored), pictures_of(target)
    found = matched(others, ones)
    alone = [
        f"{spelled(folder)} alone has {listed(names)}"
        for folder, names in ((restored, found.others_alone), (target, found.alone))
        if names
    ]
    if alone:
        raise ImageError(f"{', and '.join(alone)}; pictures are paired by name without the suffix: add or remove some")
    pairs = [FilePair(ones.files[mine], others.files[name], name) for name, mine in found.pairs]
    return pairs, others.root.resolve(), [note for note in (ones.note, others.note) if note]


def _record(
    method: Method,
    target: Path,
    pairs: Sequence[FilePair],
    images: list[ImageScores],
    measures: Measures,
    totals: SetTotals,
    started: float,
) -> Scores:
    return Scores(
        run=method.name,
        set=spelled(target.name),
        targets=spelled(target),
        step=0,
        degradation=method.degradation or NOT_KNOWN,
        metrics={name: measures.records[name] for name in measures.single},
        images=images,
        seconds=time.monotonic() - started,
        set_metrics={name: measures.records[name] for name in measures.whole},
        sets=totals.scores(),
        targets_sha256=files_sha256({pair.name: pair.target for pair in pairs}),
        method=method,
    )


def _scored(
    pairs: Sequence[FilePair], measures: Measures, totals: SetTotals, device: torch.device, kept: Path | None
) -> Iterator[ImageScores]:
    """Yields the scores of each pair; the restored pictures are written to `kept`, if there is such a folder."""
    files = written_names([pair.name for pair in pairs])
    for pair, one, other in ahead(lambda index: _read(pairs[index]), len(pairs)):
        with enough_memory(f"scoring {pair.restored}", _LESS):
            picture, wanted = one[None].to(device).float() / 255, other[None].to(device).float() / 255
            values = measures.scores(str(pair.restored), picture, wanted)
            totals.add(picture, wanted)
        file = pair.restored
        if kept is not None:
            file = kept / as_path(files[pair.name])
            write_image(file, picture[0])
        yield ImageScores(
            name=pair.name,
            restored=values,
            degraded={},
            restored_sha256=sha256(file),
            target_sha256=pixels_sha256(other),
        )


def _refuse_others(out: Path, set_name: str, method: Method) -> None:
    """Refuses to write over a run, or over another method's scores."""
    file = out / "scores" / f"{set_name}.json"
    if (out / "config.json").exists():
        raise SpecError(f"--out {out} is the folder of a run; choose one of its own for the scores of {method.name}")
    if not file.exists():
        return
    before = read_record(file, Scores).method
    if before is None or before.name != method.name:
        whose = f"the scores of {before.name}" if before else "other scores"
        raise SpecError(f"--out {out} holds {whose} on {set_name}; choose another folder for those of {method.name}")


def _name(restored: Path, target: Path) -> str:
    """Returns what to call the restored pictures beside their targets."""
    return restored.name if restored.name != target.name else "/".join(restored.parts[-2:])


def _checked(pairs: Sequence[FilePair]) -> tuple[int, list[str]]:
    """Returns the smallest side, and how many files of either folder were converted in which way.

    Raises:
        ImageError: If a file is damaged, or two of a pair differ in size.
    """
    side, notes = 1 << 30, Counter[str]()
    with ThreadPoolExecutor() as threads:
        for sizes, said in threads.map(_look, pairs):
            side = min(side, *sizes)
            notes.update(said)
    return side, [f"{count} {'file' if count == 1 else 'files'} of {note}" for note, count in notes.most_common()]


def _look(pair: FilePair) -> tuple[tuple[int, int], list[str]]:
    """Returns a pair's height and width, and what was converted."""
    files = pair.restored, pair.target
    pictures = [read_pixels(path) for path in files]
    (height, width), (other_height, other_width) = (picture.pixels.shape[1:] for picture in pictures)
    if (height, width) != (other_height, other_width):
        raise ImageError(
            f"{pair.restored} is {width}x{height} pixels, but {pair.target} is {other_width}x{other_height}; pictures "
            "are compared at one size only"
        )
    notes = zip(files, pictures, strict=True)
    return (height, width), [f"{path.parent}: {note}" for path, p in notes for note in p.note.split("; ") if note]


def _read(pair: FilePair) -> tuple[FilePair, Tensor, Tensor]:
    return pair, read_pixels(pair.restored).pixels, read_pixels(pair.target).pixels
