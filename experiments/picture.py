"""Tiles the same window of several pictures side by side: degraded, one per run, target.

    python experiments/picture.py OUT.png SET IMAGE LEFT TOP SIZE TARGETS RUN...
"""

import sys
from pathlib import Path

from PIL import Image


def main(out: str, name: str, image: str, left: str, top: str, size: str, targets: str, *runs: str) -> None:
    """Cuts the windows and writes them in a row, two pixels apart, at twice their size."""
    box = (int(left), int(top), int(left) + int(size), int(top) + int(size))
    sources = [
        Path(runs[0]) / "degraded" / name / f"{image}.png",
        *(Path(run) / "restored" / name / f"{image}.png" for run in runs),
        next(Path(targets).glob(f"{image}.*")),
    ]
    side = 2 * int(size)
    row = Image.new("RGB", (len(sources) * (side + 4) - 4, side), "white")
    for place, source in enumerate(sources):
        tile = Image.open(source).convert("RGB").crop(box).resize((side, side), Image.Resampling.NEAREST)
        row.paste(tile, (place * (side + 4), 0))
    row.save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
