"""Crops for a study: where they are cut, and PNG files that say nothing of where they come from."""

import io
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from pdloss.errors import SpecError, UserError
from pdloss.limits import read_json
from pdloss.picture_files import Picture
from pdloss.picture_files.disagreement import disagreement, largest_square
from pdloss.study.spreadsheets import read_text

_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_CHUNK = b"paDd"  # the letters' cases say: not needed for display, private, safe to copy
_LEVEL = 6  # of zlib; the same for every file


def random_place(shape: Sequence[int], side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Returns the (x, y) of a square drawn evenly from all that fit into (height, width, …)."""
    return int(rng.integers(shape[1] - side + 1)), int(rng.integers(shape[0] - side + 1))


def disagreement_place(pictures: Sequence[Picture], side: int) -> tuple[int, int]:
    """Returns the (x, y) of the square in which the pictures are furthest apart; the first in reading order of equals.

    Apart is the mean of |a - b| over all pairs, channels and pixels.

    Example:
        >>> black, dot = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
        >>> dot[2, 3] = 255
        >>> disagreement_place([black, dot], 1)
        (3, 2)
    """
    square = largest_square(disagreement(pictures), side)
    return square.left, square.top


def given_places(path: Path) -> dict[str, tuple[int, int]]:
    """Returns the upper left corners that a JSON file gives by file stem: ``{"0801": [120, 64], …}``.

    Raises:
        SpecError: If the file is not of this form.
    """
    try:
        boxes = read_json(read_text(path).encode())
        return {str(stem): (int(x), int(y)) for stem, (x, y) in boxes.items()}
    except (UserError, ValueError, TypeError, AttributeError) as error:
        raise SpecError(f'{path} does not give boxes as {{"0801": [x, y], …}}: {error}') from None


def strongly_degraded(picture: Picture, rng: np.random.Generator) -> Picture:
    """Returns the picture blurred and noisy beyond any doubt: flat ones show the noise, the others the blur as well."""
    blurred = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(4)), dtype=float)
    return np.asarray((blurred + 30 * rng.standard_normal(picture.shape)).round().clip(0, 255), dtype=np.uint8)


def encoded(pictures: Mapping[str, Picture], rng: np.random.Generator) -> dict[str, bytes]:
    """Returns a PNG file of each picture, all made alike, without metadata, and all of one size in bytes.

    A smooth picture compresses better than a sharp one: without the random bytes that fill up the smaller files,
    their sizes would tell the methods apart.
    """
    files = {name: _png(picture) for name, picture in pictures.items()}
    size = max(map(len, files.values())) + 12  # an empty chunk: its length, its name, its checksum
    return {name: _padded(file, size, rng) for name, file in files.items()}


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files in the order of their names and with one date, so that neither tells which is which."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(files):
        with (folder / name).open("wb") as file:
            file.write(files[name])
            file.flush()
            os.fsync(file.fileno())  # the design, which names them, must not reach the disk before them
        os.utime(folder / name, (0, 0))


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=_LEVEL)
    return buffer.getvalue()


def _padded(png: bytes, size: int, rng: np.random.Generator) -> bytes:
    filling = _CHUNK + rng.bytes(size - len(png) - 12)
    chunk = struct.pack(">I", len(filling) - 4) + filling + struct.pack(">I", zlib.crc32(filling))
    return png.removesuffix(_END) + chunk + _END
