"""Files ↔ RGB images: (3, h, w), 8-bit for storage and floating point in [0, 1] for work.

Whatever is converted on the way in (grayscale, palette, alpha, CMYK, 16 bits, orientation) is said in words. Colour
profiles are not applied: the stored numbers are taken as RGB.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

from pdloss._types import Image
from pdloss.errors import ImageError
from pdloss.files import write_atomically

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""Suffixes taken for images, in any case."""

_ORIENTATION = 0x0112
_DEEP = "16-bit reduced to 8-bit"
_MODE_NOTES = {
    "1": "black and white converted to RGB",
    "L": "grayscale converted to RGB",
    "LA": "grayscale converted to RGB",
    "I": "grayscale converted to RGB",
    "F": "grayscale converted to RGB",
    "P": "palette converted to RGB",
}


class Picture(NamedTuple):
    """A file's pixels, and what was done to get them."""

    pixels: UInt8[Tensor, "3 h w"]
    note: str
    """The conversions, separated by ``"; "``; empty where the file held upright 8-bit RGB."""


def list_images(folder: Path, below: bool = False) -> list[Path]:
    """Returns the images that lie directly in `folder`, sorted by name; hidden files are passed over.

    Args:
        folder: Where to look.
        below: Look in the folders below it too; hidden ones are passed over, and so is one met a second time.

    Raises:
        ImageError: If the folder does not exist, is a file, or holds no image.
    """
    if not folder.is_dir():
        raise ImageError(
            f"{folder} {'is not a folder' if folder.exists() else 'does not exist'}; name a folder of images"
        )
    found = sorted(_images_below(folder)) if below else _images_in(folder)
    if not found:
        around = [] if below else [child for child in sorted(folder.iterdir()) if child.is_dir() and _images_in(child)]
        hint = f"; there are images one level below, in {', '.join(c.name for c in around[:3])}" if around else ""
        raise ImageError(f"{folder} holds no image (looked for {' '.join(SUFFIXES)}){hint}")
    return found


def check_stems(names: Sequence[str]) -> None:
    """Refuses file names that differ in their suffix only: both would be written under one name.

    Raises:
        ImageError: Naming the first two.
    """
    known: dict[str, str] = {}
    for name in names:
        stem = Path(name).stem
        if stem in known:
            raise ImageError(f"{known[stem]} and {name} would both be written as {stem}.png; rename one")
        known[stem] = name


def read_pixels(path: Path) -> Picture:
    """Returns the file's pixels as 8-bit RGB, upright, with a note of every conversion.

    16-bit gray is rounded to 8 bits; of 16-bit RGB, Pillow keeps the upper 8 bits. Alpha is dropped, not blended.

    Raises:
        ImageError: If the file is missing, damaged, cut short, suspiciously large, or holds values of unknown range.
    """
    values, notes = _decode(path)
    if values.dtype != np.uint8:
        values = np.floor(values * 255 + 0.5).astype(np.uint8)
    return Picture(_channels_first(values), "; ".join(notes))


def read_image(path: Path) -> Image:
    """Returns the file as float32 RGB in [0, 1], upright; 16-bit gray keeps its full precision.

    Raises:
        ImageError: As `read_pixels`.
    """
    values, _ = _decode(path)
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


def _images_in(folder: Path) -> list[Path]:
    return sorted(
        child
        for child in folder.iterdir()
        if child.suffix.lower() in SUFFIXES and not child.name.startswith(".") and child.is_file()
    )


def _images_below(folder: Path) -> Iterator[Path]:
    met = set()
    for place, folders, _ in os.walk(folder, followlinks=True):
        met.add(Path(place).resolve())
        # A link to a folder above would go round for ever.
        folders[:] = [f for f in folders if not f.startswith(".") and (Path(place) / f).resolve() not in met]
        yield from _images_in(Path(place))


def _channels_first(values: NDArray[Any]) -> Tensor:
    if values.ndim == 2:
        return torch.from_numpy(values).expand(3, -1, -1).contiguous()
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


def _decode(path: Path) -> tuple[NDArray[Any], list[str]]:
    """Returns 8-bit RGB (h, w, 3), or deeper gray (h, w) in [0, 1], and the notes."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from None
    try:
        _check_whole(data)
        with PIL.Image.open(io.BytesIO(data)) as picture:
            return _convert(picture)
    except PIL.UnidentifiedImageError:
        raise ImageError(f"cannot read {path}: not an image, or damaged in its first bytes") from None
    except Exception as error:  # Pillow meets damage with a dozen kinds of exception
        raise ImageError(f"cannot read {path}: {error or type(error).__name__}") from None


def _check_whole(data: bytes) -> None:
    """Refuses damage that Pillow decodes without a word: a PNG's last bytes missing, a JPEG ending in zeros."""
    end = data.find(b"\xff\xd9", _scan_start(data)) if data.startswith(b"\xff\xd8") else 0
    if data.startswith(b"\x89PNG"):
        end = data.rfind(b"IEND\xaeB`\x82")
        with PIL.Image.open(io.BytesIO(data)) as picture:
            picture.verify()  # the chunks' checksums; uses the picture up
    if end < 0:
        raise ValueError("the end marker is missing, so the file is cut short or damaged")


def _scan_start(data: bytes) -> int:
    """Returns where a JPEG's first scan begins; headers are stepped over, since a thumbnail has its own end marker."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        # 0xFF may be repeated as filling before a marker.
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


def _convert(picture: PIL.Image.Image) -> tuple[NDArray[Any], list[str]]:
    notes = []
    # Pillow reads 16-bit RGB as mode "RGB"; the raw mode tells, until the pixels are loaded (as getexif does for PNG).
    deep = ";16" in str(getattr(picture, "tile", None))
    turned = picture.getexif().get(_ORIENTATION, 1) in range(2, 9)
    if picture.format != "MPO" and (frames := getattr(picture, "n_frames", 1)) > 1:
        notes.append(f"first of {frames} frames")
    picture.load()
    if turned:
        notes.append("turned upright")
        picture = PIL.ImageOps.exif_transpose(picture)  # does nothing to a TIFF, which Pillow turns while loading
    mode = picture.mode
    if mode not in ("RGB", "RGBA"):
        notes.append(_MODE_NOTES.get(mode.partition(";")[0], f"{mode} converted to RGB"))
    if mode in ("I", "F") or mode.startswith("I;"):
        return _deep_gray(picture), [*notes, "floating point reduced to 8-bit" if mode == "F" else _DEEP]
    if deep:
        notes.append(_DEEP)
    if picture.has_transparency_data:
        notes.append("alpha dropped")
        picture = picture.convert("RGBA")  # on the way to RGB, a palette's transparency would be warned about
    return np.array(picture.convert("RGB")), notes


def _deep_gray(picture: PIL.Image.Image) -> NDArray[Any]:
    values = np.asarray(picture).astype(np.float64)
    top = 1 if picture.mode == "F" else 65535
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= top):
        raise ValueError(f"gray values from {low:g} to {high:g} are outside 0 to {top}; save it as 8-bit or 16-bit PNG")
    return values / top
