"""Pictures of runs: found, read as 8-bit RGB, cut, and written into the page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pdloss.picture_files import Picture, read_uint8
from pdloss.report.sources import ScoredRun


@dataclass(frozen=True)
class Window:
    """A rectangle of the restored picture, in its pixels."""

    top: int
    left: int
    height: int
    width: int


def read(path: Path) -> Picture:
    """Returns a picture of a run.

    Raises:
        ImageError: If it cannot be read.
    """
    return read_uint8(path, "evaluate the run again")


def degraded_path(runs: Sequence[ScoredRun], image: str) -> Path | None:
    """Returns where the first of the runs that kept it has the degraded picture."""
    return next((path for run in runs if (path := run.picture("degraded", image)).is_file()), None)


def degraded(runs: Sequence[ScoredRun], image: str) -> Picture | None:
    """Returns the degraded picture, if a run kept it."""
    path = degraded_path(runs, image)
    return None if path is None else read(path)


def target(runs: Sequence[ScoredRun], image: str, shape: tuple[int, ...]) -> Picture | None:
    """Returns the target, cut to `shape` from the top left as restoration cuts what its factor does not divide."""
    path = next((p for run in runs if (p := run.target(image)).is_file()), None)
    picture = None if path is None else read(path)
    if picture is None or picture.shape[0] < shape[0] or picture.shape[1] < shape[1]:
        return None
    return picture[: shape[0], : shape[1]]


def cut(picture: Picture, window: Window, whole: Picture) -> Picture:
    """Cuts the part of `picture` that shows what `window` shows of `whole`, which may be larger or smaller."""
    rows, columns = picture.shape[0] / whole.shape[0], picture.shape[1] / whole.shape[1]
    top, bottom = round(window.top * rows), round((window.top + window.height) * rows)
    left, right = round(window.left * columns), round((window.left + window.width) * columns)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]


def png(picture: Picture) -> str:
    """Returns the picture as a data URI, every pixel kept."""
    return _uri(Image.fromarray(picture), "png", optimize=True)


def thumbnail(picture: Picture) -> str:
    """Returns the picture, small, as a data URI."""
    small = Image.fromarray(picture)
    small.thumbnail((240, 240))
    return _uri(small, "jpeg", quality=82)


def size(picture: Picture) -> str:
    """Returns width and height in words.

    Example:
        >>> import numpy as np
        >>> size(np.zeros((2, 3, 3), np.uint8))
        '3 x 2'
    """
    return f"{picture.shape[1]} x {picture.shape[0]}"


def _uri(image: Image.Image, kind: str, **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
