"""Restores pictures of a folder, one after the other, and writes each as its file was."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pdloss.errors import ImageError, OutOfMemoryError, UserError
from pdloss.files import output, refuse_unwritable
from pdloss.files.spelling import spelled
from pdloss.models.shelf import place_of
from pdloss.picture_files.opening import size_of
from pdloss.picture_files.originals import Original, read_original
from pdloss.picture_files.writing import Format, write_picture, written_as
from pdloss.restoration.engine import Done, Precision
from pdloss.restoration.places import pictures, result_format
from pdloss.restoration.restorer import Restorer
from pdloss.specs.trust import RECEIVED, Trust

Progress = Callable[[int, int, str], object]
Look = Callable[[str, Original, Original], object]
"""Is shown a picture's name, the picture, and what became of it."""


class Failed(NamedTuple):
    """One picture that could not be restored; the others go on."""

    source: Path
    problem: str


class Restored(NamedTuple):
    """One picture done."""

    source: Path
    written: Path
    note: str
    """What was converted or could not be kept, such as ``"palette converted to RGB"``; empty if nothing was."""
    done: Done


def restore_files(
    source: Path,
    model: str | Path,
    out: Path,
    *,
    device: str = "auto",
    tile: int | None = None,
    form: Format | None = None,
    mosaic: bool = False,
    precision: Precision = "auto",
    overwrite: bool = False,
    trusted: Trust = RECEIVED,
    progress: Progress = lambda done, total, what: None,
    look: Look = lambda name, before, after: None,
) -> Iterator[Restored | Failed]:
    """Restores an image, or every image of a folder and below it, and writes each, one after the other.

    Of a folder, a picture that cannot be read, or whose file must not be replaced, is given as `Failed`, and the rest
    goes on. The picture itself is taken as the degraded input; it goes through the network in tiles, and the result is
    that of the whole picture. Depth, alpha, profile, EXIF and XMP are kept; a gray picture stays gray.

    Args:
        source: An image or a folder of images.
        model: Any name that `pdloss.models.load` takes, such as a model that ships, a run folder, a file of weights or
            ``owner/name`` on the Hugging Face Hub.
        out: Folder to write to, made if absent; or, for one image, the file to write.
        device: As in training.
        tile: Side of the tiles in pixels; None for what the free memory allows.
        form: Format of the results; by default that of each source where it loses nothing, else PNG.
        mosaic: For a model that demosaics: make a mosaic of each picture first, as its sensor would, without noise.
        precision: Number format of the network; auto as in `restore`.
        overwrite: Replace files that stand there and were not written by us; never one that is to be restored.
        trusted: Which modules the model's text may name.
        progress: Told how many of how many thousand pixels are done, and what is in work.
        look: Shown every picture before and after.

    Raises:
        UserError: If nothing can be written there.
        ImageError: If the source is missing, or `out` is a file of another kind, or one of the sources.
        RunError: If the model cannot be used.
        SpecError: If the model was trained for another kind of picture.
    """
    found = pictures(source, out, form)
    if {path.resolve() for path in found} & {written.resolve() for written in found.values()}:
        raise ImageError(f"the restored pictures would replace the originals in {out}; choose another --out")
    refuse_unwritable(next(iter(found.values())))
    restorer = Restorer(place_of(model), device, tile, mosaic, precision, trusted)
    sizes = {path: max(1, width * height // 1000) for path in found for width, height in [size_of(path)]}
    total, before = sum(sizes.values()), 0
    for path, written in found.items():
        try:
            with output(written, overwrite=overwrite):
                one = _restored(restorer, path, written, _of_tiles(progress, before, sizes[path], total, path), look)
        except (UserError, ValueError) as error:  # networks refuse sizes by the latter
            if source.is_file() or isinstance(error, OutOfMemoryError):
                raise
            yield Failed(path, str(error) if str(path) in str(error) else f"{path}: {error}")
        else:
            yield one
        before += sizes[path]


def _restored(
    restorer: Restorer, path: Path, written: Path, tiles: Callable[[int, int], object], look: Look
) -> Restored:
    form = result_format(written)
    picture, notes = read_original(path)
    made = restorer(picture, f"{path}", tiles)
    write_picture(written, made.picture, form)
    look(spelled(path.name), picture, made.picture)
    said = "; ".join([*notes, *made.notes, *written_as(form, picture)])
    return Restored(path, written, said, made.done)


def _of_tiles(progress: Progress, before: int, size: int, total: int, path: Path) -> Callable[[int, int], object]:
    """Returns what to tell of tiles, so that those of all pictures count by their pixels."""
    return lambda done, count: progress(
        before + size * done // count,
        total,
        f"{spelled(path.name)}, tile {done} of {count}" if count > 1 else spelled(path.name),
    )
