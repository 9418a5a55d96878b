r"""Colours that a file describes otherwise than as sRGB, made sRGB.

Networks, losses and metrics take values for sRGB: a photograph whose profile says Display P3 has other colours in the
same numbers. So where a profile's colours differ from sRGB's by more than rounding does, they are converted (by
LittleCMS, relative colorimetric, black point compensated), and what the numbers show is kept; where it describes sRGB,
or there is none, the numbers stay as they are, to the bit.
"""

import io
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
from jaxtyping import Float
from PIL import ImageCms

_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_LEVELS = 2
"""8-bit levels by which profiles that mean sRGB differ from it, by the rounding of their tables."""
_SRGB_GAMMA, _GAMMA_APART = 1 / 2.2, 0.01
IGNORED = "faulty colour profile ignored"


def in_srgb(picture: PIL.Image.Image, profile: bytes | None, gamma: float | None) -> tuple[PIL.Image.Image, str]:
    """Returns the picture as 8-bit sRGB, and a note if its values were changed for its colours.

    Args:
        picture: In mode L, RGB or CMYK.
        profile: The file's ICC profile.
        gamma: The exponent that a PNG gives where it has no profile: stored values are light to this power.
    """
    if profile:
        mode, transform, note = _transform(profile)
        if mode == "RGB" and picture.mode == "L":
            picture = picture.convert("RGB")
        if mode and mode != picture.mode:
            return picture.convert("RGB"), IGNORED
        if transform is not None:
            converted = ImageCms.applyTransform(picture, transform)
            return (converted or picture), note
        return picture.convert("RGB"), note
    if is_other_gamma(gamma):
        levels = np.floor(from_gamma(np.arange(256) / 255, gamma or 1) * 255 + 0.5).astype(int).tolist()
        return picture.convert("RGB").point(levels * 3), gamma_note(gamma)
    return picture.convert("RGB"), ""


class Described(NamedTuple):
    """What a profile says."""

    mode: str
    """Of the values that it is for: L, RGB or CMYK; empty if it is for others, or cannot be used."""
    srgb: bool
    """Whether its colours are those of sRGB."""
    note: str
    """How it is converted, or why not."""


def described(profile: bytes) -> Described:
    """Returns what a profile says."""
    mode, transform, note = _transform(profile)
    return Described(mode, bool(mode) and transform is None, note)


def is_other_gamma(gamma: float | None) -> bool:
    """Returns whether a PNG's exponent is given, and another than that by which sRGB is usually approximated."""
    return gamma is not None and gamma > 0 and abs(gamma - _SRGB_GAMMA) > _GAMMA_APART


def from_gamma(values: Float[np.ndarray, "*n"], gamma: float) -> Float[np.ndarray, "*n"]:
    r"""Returns sRGB values of values that are light to the power of `gamma`.

    .. math:: s = 1.055\, l^{1/2.4} - 0.055 \text{ (or } 12.92\, l \text{ up to } 0.0031308), \quad l = v^{1/\gamma}
    """
    light = values ** (1 / gamma)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def gamma_note(gamma: float | None) -> str:
    """Returns what to say of values converted from a gamma."""
    return f"colours converted from gamma {1 / (gamma or 1):.2g} to sRGB"


def unapplied(profile: bytes | None) -> str:
    """Returns a note if a profile changes what values show; for pictures that it is not applied to."""
    return "colour profile not applied to deep gray" if profile and _transform(profile)[1] is not None else ""


@lru_cache(maxsize=16)
def _transform(profile: bytes) -> tuple[str, Any, str]:
    """Returns the mode that a profile is for, what makes sRGB of it (nothing where it is sRGB), and the note."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space not in _SPACES:
            return "", None, "" if space == "Lab" else IGNORED
        mode = _SPACES[space]
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode != "CMYK" and _changes_little(mode, transform):
            return mode, None, ""
        name = " ".join((source.profile.profile_description or "an unnamed profile").split())
        return mode, transform, f"colours converted from {name[:60]} to sRGB"
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return "", None, IGNORED
    except ImportError:
        return "", None, "colour profile not applied: this Pillow was built without LittleCMS"


def _changes_little(mode: str, transform: Any) -> bool:
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    cells = np.arange(256, dtype=np.uint8)[None]
    if mode == "RGB":
        cells = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    there = np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(cells), transform)).astype(int)
    return bool(np.abs(there - (cells[..., None] if mode == "L" else cells)).max() <= _LEVELS)
