"""A decoded file's values → 8-bit sRGB, or deeper gray, with a note of every conversion."""

from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from pdloss.picture_files import colours
from pdloss.picture_files.whole import FAULTY

_ORIENTATION, _BITS, _PLANES = 0x0112, 258, 284
DEEP = "16-bit reduced to 8-bit"
_MODE_NOTES = {
    "1": "black and white converted to RGB",
    "L": "grayscale converted to RGB",
    "LA": "grayscale converted to RGB",
    "I": "grayscale converted to RGB",
    "F": "grayscale converted to RGB",
    "P": "palette converted to RGB",
}
_BASES = {"1": "L", "L": "L", "LA": "L", "La": "L", "CMYK": "CMYK"}
"""Modes that colour profiles of gray and of inks belong to; all others become RGB first."""


def converted(picture: PIL.Image.Image) -> tuple[NDArray[Any], list[str]]:
    """Returns 8-bit RGB (h, w, 3), or deeper gray (h, w) in [0, 1], upright, and the notes.

    Raises:
        ValueError: If gray values have a range that nobody knows.
        Exception: Of Pillow's many kinds, if the pixels are damaged.
    """
    notes = []
    # Pillow reads 16-bit RGB as mode "RGB"; the raw mode tells, until the pixels are loaded.
    deep = ";16" in str(getattr(picture, "tile", None))
    if picture.format != "MPO" and (frames := getattr(picture, "n_frames", 1)) > 1:
        notes.append(f"first of {frames} frames")
    kind = picture.format
    refuse_deep_planes(picture)
    if kind != "TIFF":  # which Pillow turns while loading it, and then forgets how it lay
        picture.load()
    lies, said = turned(picture)
    notes += said
    picture.load()
    info = picture.info
    profile, gamma = info.get("icc_profile"), png_gamma(picture)
    if lies:
        notes.append("turned upright")
        picture = picture if kind == "TIFF" else PIL.ImageOps.exif_transpose(picture)
    mode = picture.mode
    if mode not in ("RGB", "RGBA"):
        notes.append(_MODE_NOTES.get(mode.partition(";")[0], f"{mode} converted to RGB"))
    if mode in ("I", "F") or mode.startswith("I;"):
        values, said = deep_gray(picture, kind)
        if colours.is_other_gamma(gamma) and gamma is not None:
            return colours.from_gamma(values, gamma), [*notes, *said, colours.gamma_note(gamma)]
        return values, [*notes, *said, *filter(None, [colours.unapplied(profile)])]
    if deep:
        notes.append(DEEP)
    if picture.has_transparency_data:
        notes.append("alpha dropped")
        # On the way to RGB, a palette's transparency would be warned about.
        picture = picture if mode in ("LA", "La") else picture.convert("RGBA")
    flat = picture.convert(_BASES.get(mode, "RGB") if picture.mode == mode else "RGB")
    if mode == "LAB":
        profile = None  # which described the values before they became RGB
    elif mode == "L" and picture.mode == "RGBA":
        flat = picture.convert("RGB").getchannel(0)  # one shade is transparent
    flat, note = colours.in_srgb(flat, profile, gamma)
    if "icc_profile" in info and not info["icc_profile"]:
        note = colours.IGNORED  # Pillow could not unpack it
    return np.array(flat), [*notes, *filter(None, [note])]


def refuse_deep_planes(picture: PIL.Image.Image) -> None:
    """Refuses a TIFF of 16-bit planes: Pillow takes each byte for a value, without a word."""
    tags = getattr(picture, "tag_v2", {})
    bits = tags.get(_BITS, (8,))
    if tags.get(_PLANES, 1) == 2 and len(bits) > 1 and max(bits) > 8:
        raise ValueError(
            f"a TIFF of {len(bits)} planes of {max(bits)} bits is not read; save it with its colours interleaved, or "
            "as 16-bit PNG"
        )


def turned(picture: PIL.Image.Image) -> tuple[bool, list[str]]:
    """Returns whether a picture lies otherwise than it is to be shown, and a note if nobody can tell."""
    try:
        return picture.getexif().get(_ORIENTATION, 1) in range(2, 9), []
    except Exception:  # of faulty metadata, by a dozen kinds of exception
        return False, [FAULTY]


def png_gamma(picture: PIL.Image.Image) -> float | None:
    """Returns the exponent of a PNG's values where nothing more precise describes them."""
    info = picture.info
    described = picture.format != "PNG" or info.get("icc_profile") or "srgb" in info
    return None if described else info.get("gamma")


def deep_gray(picture: PIL.Image.Image, kind: str | None) -> tuple[NDArray[Any], list[str]]:
    """Returns gray values of more than 8 bits in [0, 1], and how they were taken.

    Args:
        picture: In a mode of integers or floating point.
        kind: The format of its file.

    Raises:
        ValueError: If they have a range that nobody knows.
    """
    values = np.asarray(picture).astype(np.float64)
    floating = picture.mode == "F"
    if not np.isfinite(values).all():
        raise ValueError("some of its floating-point values are not numbers, or infinite; save it as 16-bit PNG")
    low, high = float(values.min()), float(values.max())
    top, note = (1, "floating point reduced to 8-bit") if floating else (65535, DEEP)
    if kind == "TIFF" and picture.mode == "I" and high <= 255:
        top, note = 255, "32-bit integers up to 255 taken for 8-bit"
    if not (low >= 0 and high <= top):
        raise ValueError(
            f"gray values from {low:g} to {high:g} are outside 0 to {top}, so nobody knows which of them is white; "
            "save it as 8-bit or 16-bit PNG"
        )
    return values / top, [note]
