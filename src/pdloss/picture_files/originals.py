"""A file → all that a restored picture keeps of it: its depth, alpha, colours' profile, EXIF and XMP.

`reading` makes 8-bit sRGB of everything, which networks are trained and scored on; here nothing is given up that a
restored file can hold. What cannot be kept is said in the notes.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageOps
from jaxtyping import UInt8, UInt16
from numpy.typing import NDArray

from pdloss.picture_files import colours
from pdloss.picture_files.exif import PREFIX, of_tiff, upright, upright_xmp
from pdloss.picture_files.opening import opened
from pdloss.picture_files.profiles import CurvesAndMatrix, curves_and_matrix
from pdloss.picture_files.reading import RefusedError, read_as
from pdloss.picture_files.values import DEEP, deep_gray, png_gamma, refuse_deep_planes, turned
from pdloss.picture_files.whole import FAULTY

Values = UInt8[np.ndarray, "h w *c"] | UInt16[np.ndarray, "h w *c"]
"""Gray (h, w), or RGB (h, w, 3)."""

_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_GRAY = {"1", "L", "LA", "La", "I", "F"}
_SAID = {"1": "black and white written as gray", "P": "palette converted to RGB"}


@dataclass(frozen=True, eq=False)
class Original:
    """What a file holds, upright.

    Args:
        values: In the file's own colours.
        alpha: Of the same depth, (h, w).
        profile: ICC profile that the values are to be kept with.
        conversion: How the profile's colours become sRGB; none where they are sRGB, or taken for it.
        exif: With its marker; says that the picture lies upright.
        xmp: The same.
        dpi: Pixels an inch.
    """

    values: Values
    alpha: NDArray[Any] | None = None
    profile: bytes = b""
    conversion: CurvesAndMatrix | None = None
    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None

    @property
    def deep(self) -> bool:
        """Whether it has 16 bits."""
        return self.values.dtype == np.uint16

    def with_values(self, values: Values, alpha: NDArray[Any] | None) -> "Original":
        """Returns the picture with other values, and EXIF that tells their size."""
        height, width = values.shape[:2]
        exif = upright(self.exif, (width, height)) if self.exif else b""
        return replace(self, values=values, alpha=alpha, exif=exif)


def read_original(path: Path) -> tuple[Original, list[str]]:
    """Returns what a file holds, and what could not be kept.

    Raises:
        ImageError: If it is missing, damaged, cut short, too large, of a format that is not read, holds values of
            unknown range, or several frames or pages.
    """
    return read_as(path, original)


def original(picture: PIL.Image.Image, data: bytes | None = None) -> tuple[Original, list[str]]:
    """Returns what an opened picture holds, and what could not be kept.

    Args:
        picture: As Pillow opened it, or as a program made it.
        data: The file's bytes, from which values of 16 bits are read that Pillow cuts to 8.

    Raises:
        ValueError: If it has several frames or pages, or gray values of unknown range.
    """
    frames = getattr(picture, "n_frames", 1)
    if picture.format != "MPO" and frames > 1:
        raise RefusedError(
            f"it holds {frames} frames or pages, and pictures are restored one by one: save each as a file of its own"
        )
    notes = [f"first of {frames} pictures"] if frames > 1 else []
    refuse_deep_planes(picture)
    raw = _raw_mode(picture)
    if picture.format != "TIFF":  # which Pillow turns while loading it, and then forgets how it lay
        picture.load()
    lies, said = turned(picture)
    metadata, faulty = _metadata(picture)
    notes += [*said, *(note for note in faulty if note not in said), *(["turned upright"] if lies else [])]
    picture.load()
    info = dict(picture.info)
    if lies and picture.format != "TIFF":
        picture = _transposed(picture)
    if data is not None and ";16" in raw and picture.mode in ("RGB", "RGBA", "RGBX", "LA"):
        values, alpha = _deep(data, raw)
    else:
        values, alpha, more = _values(picture)
        notes += [*more, *([DEEP] if ";16" in raw and values.dtype == np.uint8 else [])]
    held, more = _in_colours(picture.mode, values, alpha, info, png_gamma(picture))
    return replace(held, **metadata._asdict()), [*notes, *more]


class _Metadata(NamedTuple):
    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None


def _raw_mode(picture: PIL.Image.Image) -> str:
    """Returns what the file's values are, such as ``RGB;16B``; known until the pixels are loaded."""
    args = next((tile[3] for tile in getattr(picture, "tile", [])), "")
    return str(args[0] if isinstance(args, tuple) and args else args)


def _metadata(picture: PIL.Image.Image) -> tuple[_Metadata, list[str]]:
    """Returns what is kept beside the values, and a note if some of it is faulty."""
    info = picture.info
    try:
        block = of_tiff(picture) if picture.format == "TIFF" else info.get("exif", b"")
        block = block if block.removeprefix(PREFIX) else b""
        exif = upright(block) if block else b""
    except Exception:  # of faulty metadata, by a dozen kinds of exception
        block, exif = b"?", b""
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    xmp = upright_xmp(packet.encode() if isinstance(packet, str) else bytes(packet))
    dpi = info.get("dpi")
    across = (float(dpi[0]), float(dpi[1])) if isinstance(dpi, tuple) and len(dpi) == 2 else (0.0, 0.0)
    known = all(0 < each < 1e5 for each in across)
    return _Metadata(exif, xmp, across if known else None), [FAULTY] if block and not exif else []


def _transposed(picture: PIL.Image.Image) -> PIL.Image.Image:
    made = PIL.ImageOps.exif_transpose(picture)
    made.format = picture.format
    return made


def _values(picture: PIL.Image.Image) -> tuple[NDArray[Any], NDArray[Any] | None, list[str]]:
    """Returns the values of a loaded picture, its alpha, and what was converted."""
    mode, notes = picture.mode, []
    base = mode.partition(";")[0]
    if base in ("I", "F"):
        values, said = deep_gray(picture, picture.format)
        top = 255 if any("8-bit" in note and "32-bit" in note for note in said) else 65535
        scaled = np.floor(values * top + 0.5).astype(np.uint8 if top == 255 else np.uint16)
        notes = ["floating point written as 16-bit"] if base == "F" else said if top == 255 else []
        shade = picture.info.get("transparency")
        alpha = None if not isinstance(shade, int) else np.where(scaled == shade, 0, top).astype(scaled.dtype)
        return scaled, alpha, notes
    if base in _SAID:
        notes.append(_SAID[base])
    if picture.has_transparency_data:
        gray = base in _GRAY
        both = np.asarray(picture.convert("LA" if gray else "RGBA"))
        return both[..., 0] if gray else both[..., :3], both[..., -1], notes
    if base in _GRAY:
        return np.asarray(picture.convert("L")), None, notes
    if base == "CMYK":
        return np.asarray(picture), None, notes
    if base not in ("RGB", "RGBX", "P"):
        notes.append(f"{mode} converted to RGB")
    return np.asarray(picture.convert("RGB")), None, notes


def _deep(data: bytes, raw: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Returns values of 16 bits and their alpha, which Pillow decodes, and then cuts to 8 bits.

    Read with the two bytes of each value taken for the other way round, the lower one is left. Gray with alpha has
    four bytes a pixel, and is read as if these were four channels.
    """
    if raw.startswith("LA"):
        both = _read_raw(data, "RGBA", "RGBA").astype(np.uint16)
        pairs = both[..., ::2] << 8 | both[..., 1::2]
        return pairs[..., 0], pairs[..., 1]
    name, _, order = raw.partition(";16")
    mode = "RGBA" if name == "RGBA" else "RGB"
    values = _read_raw(data, mode, raw).astype(np.uint16)
    values <<= 8
    values |= _read_raw(data, mode, f"{name};16{_SWAPPED[order[:1] or 'N']}")
    if mode == "RGBA":
        return values[..., :3], values[..., 3]
    with opened(data) as picture:
        picture.load()
        shade = picture.info.get("transparency")
    if isinstance(shade, tuple) and len(shade) == 3:
        return values, np.where((values == np.array(shade, np.uint16)).all(-1), 0, 65535).astype(np.uint16)
    return values, None


def _read_raw(data: bytes, mode: str, raw: str) -> NDArray[np.uint8]:
    with opened(data) as picture:
        picture._mode = mode
        picture.tile = [  # type: ignore[attr-defined]
            tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)
            for tile in picture.tile  # type: ignore[attr-defined]
        ]
        picture.load()  # which turns a TIFF
        return np.asarray(picture if picture.format == "TIFF" else PIL.ImageOps.exif_transpose(picture))


def _in_colours(
    mode: str, values: NDArray[Any], alpha: NDArray[Any] | None, info: Mapping[Any, Any], gamma: float | None
) -> tuple[Original, list[str]]:
    """Returns the values with the profile that they are kept with, and what is said of their colours."""
    profile = info.get("icc_profile")
    if mode == "CMYK":
        return _inks(values, profile)
    faulty = [colours.IGNORED] if "icc_profile" in info and not profile else []
    if not profile:
        if gamma is not None and colours.is_other_gamma(gamma):
            return Original(_from_gamma(values, gamma), alpha), [colours.gamma_note(gamma)]
        return Original(values, alpha), faulty
    said = colours.described(profile)
    if said.mode != ("L" if values.ndim == 2 else "RGB"):
        # An RGB profile beside gray values says nothing against them where it is sRGB's.
        note = colours.IGNORED if said.mode else said.note
        return Original(values, alpha), [note] if note and not said.srgb else []
    if said.srgb:
        return Original(values, alpha, profile), []
    if conversion := curves_and_matrix(profile):
        return Original(values, alpha, profile, conversion), []
    if values.dtype == np.uint16 or values.ndim == 2:
        name = said.note.removeprefix("colours converted from ").removesuffix(" to sRGB")
        return Original(values, alpha, profile), [f"colours restored as if they were sRGB: {name} is made of tables"]
    flat, note = colours.in_srgb(PIL.Image.fromarray(values), profile, None)
    return Original(np.asarray(flat), alpha), [note]


def _inks(values: NDArray[np.uint8], profile: bytes | None) -> tuple[Original, list[str]]:
    flat, note = colours.in_srgb(PIL.Image.fromarray(values, "CMYK"), profile, None)
    return Original(np.asarray(flat)), ["CMYK converted to RGB", *([note] if note else [])]


def _from_gamma(values: NDArray[Any], gamma: float) -> NDArray[Any]:
    top = 255 if values.dtype == np.uint8 else 65535
    table = np.floor(colours.from_gamma(np.arange(top + 1) / top, gamma) * top + 0.5)
    made: NDArray[Any] = table.astype(values.dtype)[values]
    return made
