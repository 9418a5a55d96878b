"""A file → the picture that it shows: upright, in sRGB, with a note of everything that was converted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import PIL.Image
from jaxtyping import UInt8
from numpy.typing import NDArray

from pdloss.errors import ImageError
from pdloss.files.spelling import spelled
from pdloss.picture_files.opening import heard, opened
from pdloss.picture_files.values import converted
from pdloss.picture_files.whole import FAULTY, plainer, sound

T = TypeVar("T")

READING = 2
"""Number of the rules by which values are made of files; another number makes other values of some files."""

Picture = UInt8[np.ndarray, "_ _ 3"]
"""A picture as a screen shows it."""


class RefusedError(ValueError):
    """The file is sound, and not wanted: it is no use to try it without its metadata."""


class Read(NamedTuple):
    """What a file holds."""

    values: NDArray[Any]
    """8-bit RGB (h, w, 3), or deeper gray (h, w) in [0, 1]."""
    notes: list[str]


def read(path: Path) -> Read:
    """Returns the values of a file, and what was done to get them.

    Metadata that are faulty cost a note and not the picture. Alpha is dropped, not blended. Of several frames or pages
    the first is taken. Colours are converted as `colours` says.

    Raises:
        ImageError: If the file is missing, damaged, cut short, too large, of a format that is not read, or holds values
            of unknown range.
    """
    return Read(*read_as(path, lambda picture, _: converted(picture)))


def read_as(path: Path, convert: Callable[[PIL.Image.Image, bytes], tuple[T, list[str]]]) -> tuple[T, list[str]]:
    """Returns what `convert` makes of an opened file and its bytes, and the notes.

    Raises:
        ImageError: As `read`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {spelled(path)}: {error.strerror}") from None
    try:
        with heard() as warned:
            made, notes = _decoded(*sound(data), convert)
    except MemoryError:
        raise ImageError(
            f"cannot read {spelled(path)}: this machine's memory is too small for it; cut it up or make it smaller"
        ) from None
    except Exception as error:  # Pillow meets damage with a dozen kinds of exception
        raise ImageError(f"cannot read {spelled(path)}: {error or type(error).__name__}") from None
    return made, [*notes, *([FAULTY] if warned and FAULTY not in notes else [])]


def read_uint8(path: Path, cure: str = "") -> Picture:
    """Returns a picture as a screen shows it: 8-bit RGB, deeper values rounded.

    Args:
        path: Of the file.
        cure: What the error tells to do.

    Raises:
        ImageError: If it cannot be read.
    """
    try:
        values = rounded(read(path).values)
    except ImageError as error:
        raise ImageError(f"{error}{cure and f'; {cure}'}") from None
    return values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)


def rounded(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Returns values in [0, 1] as 8-bit ones, to the nearest, halves up; 8-bit ones as they are."""
    return values if values.dtype == np.uint8 else np.floor(values * 255 + 0.5).astype(np.uint8)


def _decoded(
    data: bytes, notes: list[str], convert: Callable[[PIL.Image.Image, bytes], tuple[T, list[str]]]
) -> tuple[T, list[str]]:
    """Returns what is made of the file, if need be of the file without its metadata."""
    problem: Exception | None = None
    for attempt in plainer(data):
        try:
            with opened(attempt) as picture:
                made, said = convert(picture, attempt)
        except RefusedError:
            raise
        except Exception as error:
            problem = problem or error
            continue
        extra = [FAULTY] if problem and FAULTY not in [*notes, *said] else []
        return made, [*said, *notes, *extra]
    assert problem is not None
    raise problem
