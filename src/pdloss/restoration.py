"""Restores a user's own pictures with a trained network."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pdloss import degradations
from pdloss._types import Image
from pdloss.degradations import BayerMosaic
from pdloss.degradations.given import is_given
from pdloss.devices import chosen_device
from pdloss.errors import ImageError, OutOfMemoryError, SpecError, UserError
from pdloss.evaluation import load_network, restore_batch
from pdloss.files import output, refuse_unwritable
from pdloss.files.spelling import as_path, spelled
from pdloss.images import read_pixels, write_image
from pdloss.memory import enough_memory
from pdloss.picture_files import SUFFIXES, list_images, written_names
from pdloss.picture_files.listing import names_below
from pdloss.runs.purposes import trained_for
from pdloss.specs.trust import RECEIVED, Trust

_LESS = "cut it into smaller pictures, or use --device cpu where the processor has more memory"


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


def pictures(source: Path, out: Path) -> dict[Path, Path]:
    """Returns the image itself, or the images of a folder and of those below it, and where each is written.

    Results lie in `out` as their sources lie in the folder. What lies in `out` itself, below the source, is a result.

    Raises:
        ImageError: If there is none, two would be written under one name, or `out` is called as a picture and cannot
            be the one file.
    """
    if not source.exists() and as_path(str(source)).exists():
        source = as_path(str(source))
    named = out.suffix.lower() in SUFFIXES and not out.is_dir()
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise ImageError(f"{spelled(source)} is not an image pdloss reads ({' '.join(SUFFIXES)})")
        if named:
            if out.suffix.lower() != ".png":
                raise _called_as_picture(out, "end the name with .png")
            return {source: out}
        name = spelled(source.name)
        return {source: out / as_path(written_names([name])[name])}
    if not source.exists():
        raise ImageError(f"{source} does not exist; name an image or a folder of images")
    if named:
        raise _called_as_picture(out, "name a folder for the pictures of a folder")
    inside, results = out.resolve(), source.resolve() in out.resolve().parents
    found = [path for path in list_images(source, below=True) if not (results and inside in path.resolve().parents)]
    names = names_below(source, found)
    return {names[name]: out / as_path(written) for name, written in written_names(list(names)).items()}


def _called_as_picture(out: Path, cure: str) -> ImageError:
    return ImageError(f"--out {out} is called as a picture, and restored ones are written as PNG: {cure}")


def restore(
    source: Path,
    model: Path,
    out: Path,
    *,
    device: str = "auto",
    mosaic: bool = False,
    overwrite: bool = False,
    trusted: Trust = RECEIVED,
) -> Iterator[Restored | Failed]:
    """Restores an image, or every image of a folder and below it, and writes each as PNG, one after the other.

    Of a folder, a picture that cannot be read, or whose file must not be replaced, is given as `Failed`, and the rest
    goes on. The whole picture goes through the network at once, in float32; the picture itself is taken as the
    degraded input. A gray picture stays gray: its restored channels are averaged.

    Args:
        source: An image or a folder of images.
        model: Run folder of a training, or a file of weights that names its network.
        out: Folder to write to, made if absent; or, for one image, the file to write, whose name ends with .png.
        device: As in training.
        mosaic: For a model that demosaics: make a mosaic of each picture first, as its sensor would, without noise.
        overwrite: Replace files that stand there and were not written by us; never one that is to be restored.
        trusted: Which modules the model's text may name.

    Raises:
        UserError: If nothing can be written there.
        ImageError: If the source is missing, or `out` is a file of another kind, or one of the sources.
        RunError: If the model cannot be used.
        SpecError: If the model was trained for another kind of picture.
    """
    found = pictures(source, out)
    originals = {path.resolve() for path in found}
    if any(written.resolve() in originals for written in found.values()):
        raise ImageError(f"the restored pictures would replace the originals in {out}; choose another --out")
    refuse_unwritable(next(iter(found.values())))
    chosen = chosen_device(device)
    sensor = _sensor(model, mosaic)
    network = load_network(model, chosen, trusted)

    def restored(path: Path) -> tuple[Tensor, str]:
        pixels, note = read_pixels(path)
        degraded = pixels.float() / 255 if sensor is None else _mosaic(pixels, sensor, mosaic, f"{path}", f"{model}")
        height, width = pixels.shape[1:]
        with enough_memory(f"restoring {path} of {width} x {height} pixels", _LESS):
            made = restore_batch(network, degraded[None].to(chosen))[0].cpu()
        gray = sensor is None and _is_gray(pixels)
        return (made.mean(0, keepdim=True).expand(3, -1, -1) if gray else made), note

    for path, written in found.items():
        try:
            with output(written, overwrite=overwrite):
                made, note = restored(path)
                write_image(written, made)
        except (UserError, ValueError) as error:  # networks refuse sizes by the latter
            if source.is_file() or isinstance(error, OutOfMemoryError):
                raise
            yield Failed(path, str(error) if str(path) in str(error) else f"{path}: {error}")
        else:
            yield Restored(path, written, note)


def _sensor(model: Path, mosaic: bool) -> BayerMosaic | None:
    """Returns the sensor whose mosaics a model was trained on; None if it takes pictures.

    Raises:
        SpecError: If a mosaic is asked for, and the model takes none.
    """
    text = trained_for(model).degradation
    links = degradations.parse(text).links if text and not is_given(text) else ()
    sensor = next((link for link in links if isinstance(link, BayerMosaic)), None)
    if mosaic and sensor is None:
        raise SpecError(
            f"--mosaic: {model} takes no mosaics; it was trained for {text or 'something it does not tell'}"
        )
    return sensor


def _mosaic(
    pixels: UInt8[Tensor, "3 h w"], sensor: BayerMosaic, ask: bool, picture: str, model: str
) -> Float[Tensor, "c h2 w2"]:
    """Returns the mosaic that a picture is, or, if that was asked for, is made into.

    A gray picture is taken as what the sensor measured, one value at each pixel; a coloured one with zeros where the
    sensor measures nothing is one laid out as ``masked``.

    Raises:
        SpecError: If it is an ordinary picture.
    """
    image: Image = pixels.float() / 255
    if sensor.layout == "masked" and torch.equal(sensor.at_its_sites(image), image):
        return image
    if not ask and not _is_gray(pixels):
        raise SpecError(
            f"{model} was trained to demosaic: it expects what {sensor} makes, and {picture} is an ordinary picture; "
            "--mosaic makes a mosaic of it first"
        )
    # Where all colours are equal, what a sensor measures is the picture itself.
    return BayerMosaic(sensor.pattern, 0.0, sensor.layout)(image, torch.Generator())


def _is_gray(pixels: UInt8[Tensor, "3 h w"]) -> bool:
    return bool((pixels == pixels[:1]).all())
