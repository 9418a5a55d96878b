"""Restores a user's own pictures with a trained network."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pdloss.errors import ImageError, UserError
from pdloss.evaluation import load_network, restore_batch
from pdloss.files import output, refuse_unwritable
from pdloss.images import SUFFIXES, list_images, read_pixels, write_image
from pdloss.precision import chosen_device
from pdloss.trust import RECEIVED, Trust


class Failed(NamedTuple):
    """One picture that could not be restored; the others go on."""

    source: Path
    problem: str


class Restored(NamedTuple):
    """One picture done."""

    source: Path
    written: Path
    note: str
    """What was converted on reading, such as ``"alpha dropped"``; empty if nothing was."""


def pictures(source: Path) -> list[Path]:
    """Returns the image itself, or the images of a folder.

    Raises:
        ImageError: If there is none.
    """
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise ImageError(f"{source} is not an image pdloss reads ({' '.join(SUFFIXES)})")
        return [source]
    if not source.exists():
        raise ImageError(f"{source} does not exist; name an image or a folder of images")
    return list_images(source)


def restore(
    source: Path,
    model: Path,
    out: Path,
    *,
    device: str = "auto",
    overwrite: bool = False,
    trusted: Trust = RECEIVED,
) -> Iterator[Restored | Failed]:
    """Restores an image, or every image of a folder, and writes each as a PNG, one after the other.

    The file is called as the source, or ``a.jpg.png`` where there is an ``a.tif`` too. Of a folder, a picture that
    cannot be read, or whose file must not be replaced, is given as `Failed`, and the rest goes on. The whole picture
    goes through the network at once, in float32; the picture itself is taken as the degraded input.

    Args:
        source: An image or a folder of images.
        model: Run folder of a training, or a file of weights that names its network.
        out: Folder to write to, made if absent; or, for one image, the file to write, whose name ends with .png.
        device: As in training.
        overwrite: Replace files that stand there and were not written by us; never one that is to be restored.
        trusted: Which modules the model's text may name.

    Raises:
        UserError: If nothing can be written there.
        ImageError: If the source is missing, or `out` is a file of another kind, or one of the sources.
        RunError: If the model cannot be used.
    """
    found = pictures(source)
    files = outputs(found, out, one=source.is_file())
    originals = {path.resolve() for path in found}
    if any(file.resolve() in originals for file in files):
        raise ImageError(f"the restored pictures would replace the originals in {out}; choose another --out")
    refuse_unwritable(files[0])
    chosen = chosen_device(device)
    network = load_network(model, chosen, trusted)
    for path, written in zip(found, files, strict=True):
        try:
            with output(written, overwrite=overwrite):
                pixels, note = read_pixels(path)
                restored = restore_batch(network, pixels[None].to(chosen).float() / 255)
                write_image(written, restored[0].cpu())
        except (UserError, ValueError) as error:  # networks refuse sizes by the latter
            if source.is_file():
                raise
            named = str(error) if str(path) in str(error) else f"{path}: {error}"
            yield Failed(path, named)
        else:
            yield Restored(path, written, note)


def outputs(found: list[Path], out: Path, one: bool) -> list[Path]:
    """Returns the files that the restored pictures are written to.

    Args:
        found: The pictures.
        out: What was asked for.
        one: Whether one picture was named, and not a folder.

    Raises:
        ImageError: If `out` looks like a picture, but is no folder and cannot be the one file; or two pictures would
            be written as one file.
    """
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        if one and out.suffix.lower() == ".png":
            return [out]
        cure = "end the name with .png" if one else "name a folder for the pictures of a folder"
        raise ImageError(f"--out {out} is called as a picture, and restored ones are written as PNG: {cure}")
    stems = Counter(path.stem.casefold() for path in found)
    names = [f"{path.stem if stems[path.stem.casefold()] == 1 else path.name}.png" for path in found]
    if twice := [name for name, count in Counter(map(str.casefold, names)).items() if count > 1]:
        first, other = (path for path, name in zip(found, names, strict=True) if name.casefold() == twice[0])
        raise ImageError(f"{first} and {other.name} would both be written as {names[found.index(first)]}; rename one")
    return [out / name for name in names]
