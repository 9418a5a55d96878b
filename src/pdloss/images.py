"""Files ↔ RGB images: (3, h, w), 8-bit for storage and floating point in [0, 1] for work.

Whatever is converted on the way in (grayscale, palette, alpha, CMYK, 16 bits, orientation, other colours than sRGB) is
said in words; `pdloss.picture_files` does it.
"""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from pdloss import picture_files
from pdloss._types import Image
from pdloss.errors import ImageError
from pdloss.files import write_atomically
from pdloss.picture_files import SUFFIXES, list_images
from pdloss.picture_files.reading import rounded

__all__ = [
    "SUFFIXES",
    "Picture",
    "list_images",
    "pixels_sha256",
    "read_image",
    "read_pixels",
    "to_bytes",
    "write_image",
]


class Picture(NamedTuple):
    """A file's pixels, and what was done to get them."""

    pixels: UInt8[Tensor, "3 h w"]
    note: str
    """The conversions, separated by ``"; "``; empty where the file held upright 8-bit RGB."""


def read_pixels(path: Path) -> Picture:
    """Returns the file's pixels as 8-bit RGB, upright, with a note of every conversion.

    16-bit gray is rounded to 8 bits; of 16-bit RGB, Pillow keeps the upper 8 bits. Alpha is dropped, not blended.

    Raises:
        ImageError: If the file is missing, damaged, cut short, suspiciously large, or holds values of unknown range.
    """
    values, notes = picture_files.read(path)
    return Picture(_channels_first(rounded(values)), "; ".join(notes))


def read_image(path: Path) -> Image:
    """Returns the file as float32 RGB in [0, 1], upright; 16-bit gray keeps its full precision.

    Raises:
        ImageError: As `read_pixels`.
    """
    values, _ = picture_files.read(path)
    image = _channels_first(values).to(torch.float32)
    return image / 255 if values.dtype == np.uint8 else image


def write_image(path: Path, image: Image) -> None:
    """Writes `image` as an 8-bit PNG, whole or not at all; values outside [0, 1] are clamped.

    Raises:
        ImageError: If the suffix is not ``.png``, or a value is NaN or infinite.
    """
    if path.suffix.lower() != ".png":
        raise ImageError(f"{path}: images are written as PNG only; end the name with .png")
    if not bool(torch.isfinite(image).all()):
        raise ImageError(f"{path}: not written, because the image holds NaN or infinite values")
    rows = to_bytes(image.detach()).permute(1, 2, 0).contiguous().cpu().numpy()
    write_atomically(path, lambda temporary: PIL.Image.fromarray(rows).save(temporary, format="PNG"))


def to_bytes(image: Float[Tensor, "*b 3 h w"]) -> UInt8[Tensor, "*b 3 h w"]:
    """Returns the 8-bit values of images in [0, 1]: clamped, rounded to the nearest, halves up.

    Example:
        >>> to_bytes(torch.tensor([-0.2, 0.5, 1.0]).reshape(3, 1, 1)).flatten()
        tensor([  0, 128, 255], dtype=torch.uint8)
    """
    # Half precision cannot hold 127.5 and its neighbours apart.
    precise = image.to(torch.promote_types(image.dtype, torch.float32))
    return (precise.clamp(0, 1) * 255 + 0.5).floor().to(torch.uint8)


def pixels_sha256(pixels: UInt8[Tensor, "3 h w"]) -> str:
    """Returns the SHA-256 of an 8-bit image (3, H, W): of its shape and its values."""
    header = "x".join(map(str, pixels.shape)).encode()
    return hashlib.sha256(header + pixels.contiguous().numpy().tobytes()).hexdigest()


def _channels_first(values: NDArray[Any]) -> Tensor:
    if values.ndim == 2:
        return torch.from_numpy(values).expand(3, -1, -1).contiguous()
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()
