"""Aligned crops: the windows in which the runs differ most, found by a stated rule, cut from every picture alike."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps

from pdloss.errors import ImageError, RunError
from pdloss.report.sources import Comparison, ScoredRun

SIDE = 112
"""Pixels along a crop's side: five crops at twice the size fit a page of 1200, and 2, 4, 7 and 8 divide it."""

Picture = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True)
class Window:
    """A square of the restored picture, in its pixels."""

    top: int
    left: int
    side: int


@dataclass(frozen=True)
class Tile:
    """One crop: of the degraded input, of a run's restored picture, or of the target."""

    kind: Literal["degraded", "run", "target"]
    label: str
    uri: str
    run: int | None = None
    """Place of the run in the comparison."""


@dataclass(frozen=True)
class Strip:
    """The crops of one image, side by side."""

    image: str
    window: Window
    size: tuple[int, int]
    """Height and width of the whole picture."""
    difference: float
    """Mean absolute difference inside the window, in 8-bit levels."""
    locator: str
    """The whole picture, small, as a data URI."""
    tiles: tuple[Tile, ...]


def mean_difference(pictures: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Float[np.ndarray, "h w"]:
    r"""Returns how far several pictures are apart at each pixel: the mean of |a - b| over all pairs and channels.

    With the values of one place sorted, :math:`\sum_{i<j} |x_i - x_j| = \sum_k (2k - n + 1) x_{(k)}`.

    Example:
        >>> black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
        >>> mean_difference([black, black, white])
        array([[170.]])
    """
    n = len(pictures)
    ordered = np.sort(np.stack(pictures), axis=0)
    weights = 2 * np.arange(n) - n + 1
    total = sum(weight * layer.sum(axis=-1, dtype=np.int64) for weight, layer in zip(weights, ordered, strict=True))
    return np.asarray(total / (3 * n * (n - 1) / 2))


def largest_window(values: Float[np.ndarray, "h w"], side: int, multiple: int = 1) -> tuple[Window, float]:
    """Returns the square window with the largest mean, and that mean; the first one in reading order of equals.

    Args:
        values: One value per pixel.
        side: Longest side of the window; it shrinks to fit a smaller picture.
        multiple: The window starts and ends on multiples of this many pixels, so that it can be cut from a picture
            that is smaller by this factor.
    """
    height, width = values.shape
    side = max(multiple, min(side, height, width) // multiple * multiple)
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    boxes = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    boxes = boxes[::multiple, ::multiple]
    top, left = np.unravel_index(int(boxes.argmax()), boxes.shape)
    return Window(int(top) * multiple, int(left) * multiple, side), float(boxes[top, left]) / side**2


def strips(
    comparison: Comparison, count: int, progress: Callable[[int, int], object] | None = None
) -> tuple[list[Strip], list[str]]:
    """Returns the crops of the `count` images whose most different windows differ most, and notes on what is missing.

    A single run is compared with the target.

    Args:
        comparison: The runs.
        count: How many images to show.
        progress: Told of every image done.

    Raises:
        ImageError: If a picture cannot be read.
        RunError: If the runs' pictures of one image have different sizes.
    """
    runs = [run for run in comparison.runs if (run.folder / "restored" / comparison.set).is_dir()]
    notes = [
        f"{run.name} keeps no restored pictures: it is not among the crops."
        for run in comparison.runs
        if run not in runs
    ]
    found, lacking = [], []
    for done, image in enumerate(comparison.images, start=1):
        if not runs or not all(run.picture("restored", image).is_file() for run in runs):
            lacking.append(image)
        elif (window := _window(runs, image)) is not None:
            found.append((window[1], image, window[0]))
        if progress:
            progress(done, len(comparison.images))
    if runs and lacking:
        notes.append(f"Some runs lack the restored picture of {', '.join(lacking[:3])}{' …' * (len(lacking) > 3)}.")
    found.sort(key=lambda entry: -entry[0])
    shown = [_strip(comparison, runs, image, window, value) for value, image, window in found[:count]]
    if any(strip.tiles[-1].kind != "target" for strip in shown) or (runs and not found and not lacking):
        notes.append("Target pictures are no longer where the runs were scored: their crops are left out.")
    if any(strip.tiles[0].kind != "degraded" for strip in shown):
        notes.append("Some degraded pictures are no longer there: their crops are left out.")
    return shown, notes


def _window(runs: Sequence[ScoredRun], image: str) -> tuple[Window, float] | None:
    pictures = [_read(run.picture("restored", image)) for run in runs]
    for run, picture in zip(runs, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            raise RunError(
                f"{image}: {runs[0].name} restored {_size(pictures[0])} pixels, {run.name} {_size(picture)}; "
                "evaluate both on the same pictures"
            )
    if len(runs) == 1:
        other = _target(runs, image, pictures[0].shape)
        if other is None:
            return None
        pictures.append(other)
    return largest_window(mean_difference(pictures), SIDE, _factor(pictures[0], _degraded_path(runs, image)))


def _strip(comparison: Comparison, runs: Sequence[ScoredRun], image: str, window: Window, difference: float) -> Strip:
    pictures = {run.name: _read(run.picture("restored", image)) for run in runs}
    first = pictures[runs[0].name]
    degraded, target = _degraded(runs, image), _target(runs, image, first.shape)
    tiles = []
    if degraded is not None:
        tiles.append(Tile("degraded", "degraded input", _png(_cut(degraded, window, first))))
    for index, run in enumerate(comparison.runs):
        if run.name in pictures:
            tiles.append(Tile("run", run.name, _png(_cut(pictures[run.name], window, first)), index))
    if target is not None:
        tiles.append(Tile("target", "target", _png(_cut(target, window, first))))
    return Strip(image, window, first.shape[:2], difference, _thumbnail(first), tuple(tiles))


def _degraded(runs: Sequence[ScoredRun], image: str) -> Picture | None:
    path = _degraded_path(runs, image)
    return None if path is None else _read(path)


def _degraded_path(runs: Sequence[ScoredRun], image: str) -> Path | None:
    return next((path for run in runs if (path := run.picture("degraded", image)).is_file()), None)


def _target(runs: Sequence[ScoredRun], image: str, shape: tuple[int, ...]) -> Picture | None:
    """Returns the target, cut to `shape` from the top left as restoration cuts what its factor does not divide."""
    path = next((p for run in runs if (p := Path(run.scores.targets) / image).is_file()), None)
    picture = None if path is None else _read(path)
    if picture is None or picture.shape[0] < shape[0] or picture.shape[1] < shape[1]:
        return None
    return picture[: shape[0], : shape[1]]


def _factor(restored: Picture, degraded: Path | None) -> int:
    """Returns how many times smaller the degraded picture is; 1 if no whole number says it."""
    if degraded is None:
        return 1
    height, width = _read(degraded).shape[:2]
    factor = restored.shape[0] // height
    whole = (height * factor, width * factor) == restored.shape[:2]
    return factor if whole and 1 <= factor <= min(SIDE, *restored.shape[:2]) else 1


def _cut(picture: Picture, window: Window, whole: Picture) -> Picture:
    """Cuts the part of `picture` that shows what `window` shows of `whole`, which may be larger or smaller."""
    rows, columns = picture.shape[0] / whole.shape[0], picture.shape[1] / whole.shape[1]
    top, bottom = round(window.top * rows), round((window.top + window.side) * rows)
    left, right = round(window.left * columns), round((window.left + window.side) * columns)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]


def _read(path: Path) -> Picture:
    """Returns a picture as 8-bit RGB, upright; a deeper one loses its lower bits, which no screen shows."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16-bit grey, which Pillow would clip instead of scaling
                grey = (np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.asarray(upright.convert("RGB"))
    except Exception as error:  # Pillow meets damage with a dozen kinds of exception
        raise ImageError(f"cannot read {path}: {error}; evaluate the run again") from None


def _png(picture: Picture) -> str:
    return _uri(Image.fromarray(picture), "png", optimize=True)


def _thumbnail(picture: Picture) -> str:
    small = Image.fromarray(picture)
    small.thumbnail((240, 240))
    return _uri(small, "jpeg", quality=82)


def _uri(image: Image.Image, kind: str, **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"
