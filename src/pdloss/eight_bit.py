"""Pictures as a screen shows them: 8-bit RGB arrays, for pages and studies, which need no torch."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from pdloss.errors import ImageError

Picture = UInt8[np.ndarray, "_ _ 3"]


def read(path: Path, cure: str = "") -> Picture:
    """Returns a picture upright; a deeper one loses its lower bits, which no screen shows.

    Args:
        path: Of the file.
        cure: What the error tells to do.

    Raises:
        ImageError: If it cannot be read.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16-bit grey, which Pillow would clip instead of scaling
                grey = (np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.asarray(upright.convert("RGB"))
    except Exception as error:  # Pillow meets damage with a dozen kinds of exception
        raise ImageError(f"cannot read {path}: {error}{cure and f'; {cure}'}") from None
