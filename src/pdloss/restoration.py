"""Restores a user's own pictures with a trained network."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pdloss.errors import ImageError
from pdloss.evaluation import load_network, restore_batch
from pdloss.images import SUFFIXES, check_stems, list_images, read_pixels, write_image
from pdloss.memory import enough_memory
from pdloss.precision import chosen_device

_LESS = "cut it into smaller pictures, or use --device cpu where the processor has more memory"


class Restored(NamedTuple):
    """One picture done."""

    source: Path
    written: Path
    note: str
    """What was converted on reading, such as ``"alpha dropped"``; empty if nothing was."""


def pictures(source: Path) -> list[Path]:
    """Returns the image itself, or the images of a folder.

    Raises:
        ImageError: If there is none, or two would be written under one name.
    """
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise ImageError(f"{source} is not an image pdloss reads ({' '.join(SUFFIXES)})")
        return [source]
    if not source.exists():
        raise ImageError(f"{source} does not exist; name an image or a folder of images")
    found = list_images(source)
    check_stems([path.name for path in found])
    return found


def restore(source: Path, model: Path, out: Path, *, device: str = "auto") -> Iterator[Restored]:
    """Restores an image, or every image of a folder, and writes each as ``out/<stem>.png``, one after the other.

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
    found = pictures(source)
    if out.exists() and any((out / f"{path.stem}.png").resolve() == path.resolve() for path in found):
        raise ImageError(f"the restored pictures would replace the originals in {out}; choose another --out")
    chosen = chosen_device(device)
    network = load_network(model, chosen)
    for path in found:
        pixels, note = read_pixels(path)
        height, width = pixels.shape[1:]
        with enough_memory(f"restoring {path} of {width} x {height} pixels", _LESS):
            restored = restore_batch(network, pixels[None].to(chosen).float() / 255)
        written = out / f"{path.stem}.png"
        write_image(written, restored[0].cpu())
        yield Restored(path, written, note)
