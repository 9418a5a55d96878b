"""What the two scripts share that write a page under docs/: photographs, tables, and charts for everybody's eyes."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import skimage.data
import torch
import tyro
from matplotlib import style
from matplotlib.figure import Figure
from torch import Tensor

from pdloss.errors import ImageError, UserError
from pdloss.files import write_atomically
from pdloss.images import list_images, read_image

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which differ for colour-blind readers too."""

_STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": "#888888",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.0,
    "legend.frameon": False,
    "image.interpolation": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "pdloss",
}


def photographs(names: Sequence[str], data: Path | None) -> dict[str, Tensor]:
    """Returns RGB photographs (3, H, W) in [0, 1] by name: those of scikit-image, or the first as many in `data`.

    Raises:
        ImageError: If `data` holds too few.
    """
    if data is None:
        return {name: rgb(getattr(skimage.data, name)()) for name in names}
    files = list_images(data)[: len(names)]
    if len(files) < len(names):
        raise ImageError(f"{data} holds {len(files)} images, and {len(names)} are needed; add some")
    return {file.stem: read_image(file) for file in files}


def rgb(rows: Any) -> Tensor:
    """Returns 8-bit pixels (H, W, 3), an array or a picture of Pillow's, as (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(rows)).permute(2, 0, 1).float() / 255


def rows_of(image: Tensor) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Returns (3, H, W) in [0, 1] as 8-bit pixels (H, W, 3)."""
    return (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


def centre(image: Tensor, side: int, what: str) -> Tensor:
    """Returns the square of `side` pixels in the middle.

    Raises:
        ImageError: If the image is smaller.
    """
    height, width = image.shape[-2:]
    if min(height, width) < side:
        raise ImageError(f"{what} has {height}x{width} pixels, and {side} a side are needed; take a larger photograph")
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side].contiguous()


@contextmanager
def figure(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Iterator[Figure]:
    """Yields an empty figure of a size in inches, in the pages' style whatever the user's own settings are."""
    with style.context(["default", _STYLE]):
        yield Figure(figsize=(width, height), layout=layout)


def save(drawn: Figure, path: Path, dpi: int = 100) -> None:
    """Writes a figure as SVG or PNG, by the name's suffix; the same figure gives the same bytes."""
    kind = path.suffix.removeprefix(".")
    metadata = {"Date": None} if kind == "svg" else None
    write_atomically(path, lambda temporary: drawn.savefig(temporary, format=kind, dpi=dpi, metadata=metadata))
    print(path)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table: numbers to the right, words to the left."""
    right = [all(cell.replace(".", "").isdigit() for cell in column) for column in zip(*rows, strict=True)]
    lines = [heads, ["---:" if numbers else "---" for numbers in right], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_page(path: Path, *parts: str) -> None:
    """Writes a page of paragraphs."""
    write_atomically(path, lambda temporary: temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8"))
    print(path)


def command(script: str, **options: object) -> str:
    """Returns the command that made a page: the script, and what was chosen other than its defaults (None, False)."""
    chosen = [f"--{name}" if value is True else f"--{name} {value}" for name, value in options.items() if value]
    return " ".join([f"python examples/{script}.py", *chosen])


def listed(names: Sequence[str]) -> str:
    """Returns names as code: ``a``, ``b`` and ``c``; or "none"."""
    code = [f"`{name}`" for name in names]
    return " and ".join([", ".join(code[:-1]), code[-1]]) if len(code) > 1 else (code or ["none"])[0]


def main(function: Callable[..., None]) -> None:
    """Runs a script with the command line's options; what the user can put right is one line."""
    os.environ.setdefault("PDLOSS_OFFLINE", "1")
    try:
        tyro.cli(function)
    except UserError as error:
        sys.exit(f"error: {error}")
