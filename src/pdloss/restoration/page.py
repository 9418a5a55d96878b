"""The page of ``restore --compare``: each picture before and after, one over the other, with a slider and a flicker.

One file that opens from disk and asks nothing of any other: pictures are in it. Of each, the whole is shown at the
width of a page, and the square where it changed most at its own pixels.
"""

import base64
import html
import io
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from pdloss.files import write_text
from pdloss.picture_files.disagreement import largest_square
from pdloss.picture_files.originals import Original
from pdloss.restoration.restorer import as_floats

_WIDTH, _SQUARE, _CELL = 960, 360, 8
_TEMPLATE = "compare.html"


class _Shown(NamedTuple):
    """Two pictures of one size, as a screen shows them."""

    before: PIL.Image.Image
    after: PIL.Image.Image


class ComparisonPage:
    """Collects pictures, and writes the page."""

    def __init__(self) -> None:
        self._sections: list[str] = []

    def __call__(self, name: str, before: Original, after: Original) -> None:
        """Adds a picture, before and after."""
        height, width = after.values.shape[:2]
        whole, square = _whole(before, after), _square(before, after)
        said = f"{before.values.shape[1]} x {before.values.shape[0]}"
        said += "" if before.values.shape == after.values.shape else f" → {width} x {height}"
        figures = [_figure("whole picture" if width > _WIDTH else "its own pixels", whole, name)]
        if square is not None:
            figures.append(_figure(f"where it changed most, {_SQUARE} x {_SQUARE} pixels", square, name))
        self._sections.append(
            f"<section><h2>{html.escape(name)}</h2><p>{html.escape(said)} pixels</p>{''.join(figures)}</section>"
        )

    def write(self, path: Path) -> None:
        """Writes the page, whole or not at all."""
        template = resources.files("pdloss.restoration").joinpath(_TEMPLATE).read_text(encoding="utf-8")
        write_text(path, template.replace("<!-- pictures -->", "\n".join(self._sections)))


def _whole(before: Original, after: Original) -> _Shown:
    height, width = after.values.shape[:2]
    share = min(1.0, _WIDTH / width, 2 * _WIDTH / height)
    size = max(1, round(width * share)), max(1, round(height * share))
    return _Shown(_resized(before, size), _resized(after, size))


def _square(before: Original, after: Original) -> _Shown | None:
    """Returns the square that changed most, at the pixels of the result; nothing where the whole is shown so."""
    height, width = after.values.shape[:2]
    if width <= _WIDTH or height < _SQUARE:
        return None
    cells = width // _CELL, height // _CELL
    there, here = (np.asarray(_resized(picture, cells).convert("L")).astype(int) for picture in (before, after))
    found = largest_square(np.abs(there - here), _SQUARE // _CELL)
    top, left = found.top * _CELL, found.left * _CELL
    scale = height // before.values.shape[0]
    size = _SQUARE, _SQUARE
    return _Shown(
        _resized(_cut(before, top // scale, left // scale, _SQUARE // scale), size),
        _resized(_cut(after, top, left, _SQUARE), size),
    )


def _cut(picture: Original, top: int, left: int, side: int) -> Original:
    return Original(picture.values[top : top + side, left : left + side], None, b"", picture.conversion)


def _resized(picture: Original, size: tuple[int, int]) -> PIL.Image.Image:
    """Returns a picture in sRGB of 8 bits, in another size; made smaller before its colours are converted."""
    values = picture.values
    step = max(1, values.shape[1] // (2 * size[0]))
    few = values if step == 1 else _boxes(values, step)
    floats = as_floats(few, picture)
    flat = PIL.Image.fromarray(np.floor(np.clip(floats, 0, 1) * 255 + 0.5).astype(np.uint8))
    return flat if flat.size == size else flat.resize(size, PIL.Image.Resampling.BICUBIC)


def _boxes(values: NDArray[Any], step: int) -> NDArray[Any]:
    """Returns means of blocks, row by row of them, so that little memory is taken."""
    height, width = (values.shape[0] // step) or 1, (values.shape[1] // step) or 1
    made = np.empty((height, width, *values.shape[2:]), values.dtype)
    for row in range(height):
        block = values[row * step : (row + 1) * step, : width * step]
        made[row] = block.reshape(len(block), width, step, *values.shape[2:]).mean((0, 2))
    return made


def _figure(label: str, shown: _Shown, name: str) -> str:
    width, height = shown.after.size
    before, after = (
        f'<img class="{kind}" src="{_data(picture)}" width="{width}" height="{height}" '
        f'alt="{html.escape(name)}, {kind}">'
        for kind, picture in (("before", shown.before), ("after", shown.after))
    )
    return (
        f'<figure><div class="pair" style="--share: 50%; max-width: {width}px">{before}{after}'
        '<span class="edge" aria-hidden="true"></span></div>'
        f'<figcaption><label>before <input type="range" min="0" max="100" value="50" aria-label="border between before '
        f'and after, {html.escape(name)}"> after</label> <button type="button" aria-pressed="false">flicker</button> '
        f"<span>{html.escape(label)}</span></figcaption></figure>"
    )


def _data(picture: PIL.Image.Image) -> str:
    file = io.BytesIO()
    small = picture.width * picture.height <= _SQUARE**2
    # A small one without loss: it is looked at pixel by pixel.
    if small:
        picture.save(file, "PNG")
    else:
        picture.save(file, "JPEG", quality=92, subsampling="4:4:4")
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"
