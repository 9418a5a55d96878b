"""Crops beside each other as one picture for a paper: labels above, whole pixels, PNG, PDF and SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdloss.charts.palette import PRINTED
from pdloss.charts.saving import files_beside, save, styled
from pdloss.errors import RunError
from pdloss.files import output
from pdloss.picture_files import Picture
from pdloss.report import pictures
from pdloss.report.crops import Tile, kept, tiles
from pdloss.report.pictures import Window
from pdloss.report.scores import digits_of
from pdloss.report.sources import Comparison
from pdloss.tables.numerals import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_GAP, _TEXT = 8, 34
"""Pixels between crops, and above them for two lines of words."""


@dataclass(frozen=True)
class PanelTile:
    """One crop with the words above it."""

    label: str
    below: str
    picture: Picture


def crop_panel(comparison: Comparison, image: str, window: Window) -> list[PanelTile]:
    """Returns the crops of every run that kept its pictures, with PSNR and LPIPS of the whole picture.

    Args:
        comparison: The runs.
        image: File name of the target, or its stem.
        window: What to cut out.

    Raises:
        RunError: If there is no such image, no run keeps its picture, or the window leaves the picture.
        ImageError: If a picture cannot be read.
    """
    name, runs = kept(comparison, image)
    whole = pictures.read(runs[0].picture("restored", name))
    height, width = whole.shape[:2]
    bottom, right = window.top + window.height, window.left + window.width
    if min(window.top, window.left) < 0 or min(window.height, window.width) < 1 or bottom > height or right > width:
        raise RunError(
            f"the box {window.left},{window.top},{window.width},{window.height} leaves {name}, which has "
            f"{pictures.size(whole)} pixels"
        )
    found = tiles(comparison, runs, name, window)
    return [PanelTile(tile.label, _scores(comparison, name, tile), tile.picture) for tile in found]


def save_panel(
    shown: Sequence[PanelTile],
    out: Path,
    *,
    side: tuple[int, int],
    zoom: int = 2,
    columns: int = 8,
    overwrite: bool = False,
) -> list[Path]:
    """Writes the panel as PNG, PDF and SVG; in the PNG every pixel of a crop is `zoom` pixels wide and high.

    Args:
        shown: The crops, in order.
        out: Path of the files, without a suffix or with any of the three.
        side: Height and width of a crop in pixels of the restored picture; a smaller crop is drawn in larger pixels.
        zoom: How many times larger, a whole number.
        columns: How many crops stand side by side.
        overwrite: Replace files that stand there and were not written by us.

    Raises:
        UserError: If a file stands there that is not to be replaced.
        MissingExtraError: If matplotlib is not installed.
    """
    paths = files_beside(out)
    with styled(PRINTED), output(*paths, overwrite=overwrite):
        save(_figure(shown, side, zoom, columns), paths, dpi=_DPI)
    return paths


def _figure(shown: Sequence[PanelTile], side: tuple[int, int], zoom: int, columns: int) -> "Figure":
    from matplotlib.figure import Figure

    height, width = side[0] * zoom, side[1] * zoom
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    whole = columns * (width + _GAP) + _GAP, rows * (height + _TEXT + _GAP) + _GAP
    figure = Figure(figsize=(whole[0] / _DPI, whole[1] / _DPI), dpi=_DPI)
    for place, tile in enumerate(shown):
        row, column = divmod(place, columns)
        left = _GAP + column * (width + _GAP)
        top = _GAP + row * (height + _TEXT + _GAP)
        box = (left / whole[0], 1 - (top + _TEXT + height) / whole[1], width / whole[0], height / whole[1])
        axes = figure.add_axes(box)
        axes.set_axis_off()
        axes.imshow(tile.picture, interpolation="nearest", aspect="auto")
        middle = (left + width / 2) / whole[0]
        for text, down, size, colour in ((tile.label, 2, 9.0, "ink"), (tile.below, 17, 8.0, "muted")):
            style: Any = {"size": _fitting(text, width, size), "color": PRINTED[colour]}
            figure.text(middle, 1 - (top + down) / whole[1], text, ha="center", va="top", **style)
    return figure


def _fitting(text: str, width: int, size: float) -> float:
    """Returns the size at which the words are no wider than the crop, in points."""
    return min(size, width * 72 / _DPI / (0.6 * max(1, len(text))))


def _scores(comparison: Comparison, image: str, tile: Tile) -> str:
    if tile.kind == "target":
        return ""
    if tile.kind == "degraded":
        values = next((found for run in comparison.runs if (found := run.by_image[image].degraded)), {})
    else:
        values = comparison.runs[tile.run or 0].by_image[image].restored
    shown = [key for key in list(comparison.metrics)[:6] if key.partition("(")[0] in ("psnr", "lpips")]
    return "  ".join(
        f"{comparison.metrics[key].label} {number(values[key], digits_of(comparison, key))}"
        for key in shown or list(comparison.metrics)[:2]
        if key in values
    )
