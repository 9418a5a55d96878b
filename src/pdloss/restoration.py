"""Restores a user's own pictures with a trained network."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pdloss.errors import ImageError
from pdloss.evaluation import load_network, restore_batch
from pdloss.images import read_pixels, write_image
from pdloss.picture_files import SUFFIXES, list_images, written_names
from pdloss.picture_files.listing import names_below
from pdloss.precision import chosen_device
from pdloss.spelling import as_path, spelled


class Restored(NamedTuple):
    """One picture done."""

    source: Path
    written: Path
    note: str
    """What was converted on reading, such as ``"alpha dropped"``; empty if nothing was."""


def pictures(source: Path, out: Path) -> dict[Path, Path]:
    """Returns the image itself, or the images of a folder and of those below it, and where each is written.

    Results lie in `out` as their sources lie in the folder. What lies in `out` itself, below the source, is a result.

    Raises:
        ImageError: If there is none, or two would be written under one name.
    """
    if not source.exists() and as_path(str(source)).exists():
        source = as_path(str(source))
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise ImageError(f"{spelled(source)} is not an image pdloss reads ({' '.join(SUFFIXES)})")
        name = spelled(source.name)
        return {source: out / as_path(written_names([name])[name])}
    if not source.exists():
        raise ImageError(f"{source} does not exist; name an image or a folder of images")
    inside, results = out.resolve(), source.resolve() in out.resolve().parents
    found = [path for path in list_images(source, below=True) if not (results and inside in path.resolve().parents)]
    names = names_below(source, found)
    return {names[name]: out / as_path(written) for name, written in written_names(list(names)).items()}


def restore(source: Path, model: Path, out: Path, *, device: str = "auto") -> Iterator[Restored]:
    """Restores an image, or every image of a folder and below it, and writes each as PNG, one after the other.

    The whole picture goes through the network at once, in float32; the picture itself is taken as the degraded input.

    Args:
        source: An image or a folder of images.
        model: Run folder of a training, or a file of weights that names its network.
        out: Folder to write to; made if absent, files of the same name are replaced.
        device: As in training.

    Raises:
        ImageError: If the source is missing or damaged, or lies in `out` and would be overwritten.
        RunError: If the model cannot be used.
    """
    found = pictures(source, out)
    originals = {path.resolve() for path in found}
    if any(written.resolve() in originals for written in found.values()):
        raise ImageError(f"the restored pictures would replace the originals in {out}; choose another --out")
    chosen = chosen_device(device)
    network = load_network(model, chosen)
    for path, written in found.items():
        pixels, note = read_pixels(path)
        restored = restore_batch(network, pixels[None].to(chosen).float() / 255)
        write_image(written, restored[0].cpu())
        yield Restored(path, written, note)
