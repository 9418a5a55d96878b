r"""Colours of a profile → sRGB and back, at full depth and without a cut: what a network restores keeps its gamut.

Most profiles of photographs (Adobe RGB, Display P3, ProPhoto) are a curve for each channel and a matrix. Their values
become sRGB's by arithmetic, in which a colour beyond sRGB has values below 0 or above 1, and the way back is exact.
Profiles made of tables have no such way back.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Shaped

_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""Of linear sRGB, at the white of profiles (D50, adapted by Bradford's method)."""
_STEPS = 65536
_GRID = np.linspace(0, 1, _STEPS)

_Values = Float[np.ndarray, "*n c"]


@dataclass(frozen=True, eq=False)
class CurvesAndMatrix:
    """A profile of one or three curves, and for three a matrix.

    Args:
        curves: Light of each channel's values from 0 to 1, at equal steps.
        matrix: Linear values to linear sRGB; none for gray.
    """

    curves: tuple[Float[np.ndarray, " steps"], ...]
    matrix: Float[np.ndarray, "3 3"] | None

    def to_srgb(self, values: Shaped[np.ndarray, "*n c"]) -> _Values:
        """Returns sRGB values, float32, of 8-bit or 16-bit ones."""
        index = values.astype(np.int32) * (257 if values.dtype == np.uint8 else 1)
        light = np.stack([curve[index[..., c]] for c, curve in enumerate(self.curves)], axis=-1)
        if self.matrix is not None:
            light = light @ self.matrix.T.astype(np.float32)
        return encoded(light)

    def from_srgb(self, values: _Values) -> _Values:
        """Returns values of the profile, float32, in [0, 1], of sRGB ones."""
        light = decoded(values)
        if self.matrix is not None:
            light = light @ np.linalg.inv(self.matrix).T.astype(np.float32)
        return np.stack([_at_root(light[..., c], inverse) for c, inverse in enumerate(self._inverses())], axis=-1)

    def _inverses(self) -> list[Float[np.ndarray, " steps"]]:
        """Returns each curve's inverse, at equal steps of the light's square root, where it is nearly straight."""
        return [_inverse(curve.tobytes()) for curve in self.curves]


def encoded(light: _Values) -> _Values:
    """Returns sRGB values of linear ones; negative ones mirrored."""
    size = np.abs(light)
    curved = 1.055 * np.power(size, 1 / 2.4, dtype=np.float32) - 0.055
    made: _Values = np.copysign(np.where(size <= 0.0031308, 12.92 * size, curved), light).astype(np.float32)
    return made


def decoded(values: _Values) -> _Values:
    """Returns linear values of sRGB ones; negative ones mirrored."""
    size = np.abs(values)
    curved = np.power((size + 0.055) / 1.055, 2.4, dtype=np.float32)
    made: _Values = np.copysign(np.where(size <= 0.04045, size / 12.92, curved), values).astype(np.float32)
    return made


@lru_cache(maxsize=8)
def curves_and_matrix(profile: bytes) -> CurvesAndMatrix | None:
    """Returns what a profile is made of; none if it is made of tables, or cannot be read."""
    try:
        tags = _tags(profile)
        space = profile[16:20]
        if space == b"GRAY" and b"kTRC" in tags:
            return CurvesAndMatrix((_curve(tags[b"kTRC"]),), None)
        if space != b"RGB " or b"A2B0" in tags:
            return None
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        matrix = np.linalg.inv(_TO_XYZ) @ np.array(columns).T
        if not np.isfinite(np.linalg.inv(matrix)).all():
            return None
    except (struct.error, KeyError, IndexError, ValueError, OverflowError, ZeroDivisionError, np.linalg.LinAlgError):
        return None
    return CurvesAndMatrix(curves, matrix)


@lru_cache(maxsize=8)
def _inverse(curve: bytes) -> Float[np.ndarray, " steps"]:
    light = np.maximum.accumulate(np.frombuffer(curve, np.float32))
    return np.interp(_GRID**2, light, _GRID).astype(np.float32)


def _at_root(light: Float[np.ndarray, "*n"], table: Float[np.ndarray, " steps"]) -> Float[np.ndarray, "*n"]:
    place = np.sqrt(np.clip(light, 0, 1)) * np.float32(_STEPS - 1)
    low = np.minimum(place.astype(np.int32), _STEPS - 2)
    share = place - low
    made: Float[np.ndarray, "*n"] = (table[low] * (1 - share) + table[low + 1] * share).astype(np.float32)
    return made


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    found = {}
    for index in range(min(count, 200)):
        name, at, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        found[name] = profile[at : at + size]
    return found


def _xyz(tag: bytes) -> list[float]:
    return [each / 65536 for each in struct.unpack_from(">3i", tag, 8)]


def _curve(tag: bytes) -> Float[np.ndarray, " steps"]:
    """Returns a tone curve at equal steps.

    Raises:
        ValueError: If it is of a kind that is not known, does not rise, or is not finite.
    """
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            light = _GRID
        elif count == 1:
            light = _GRID ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        else:
            points = np.array(struct.unpack_from(f">{count}H", tag, 12)) / 65535
            light = np.interp(_GRID, np.linspace(0, 1, count), points)
    elif kind == b"para":
        light = _parametric(tag)
    else:
        raise ValueError(f"a curve of kind {kind!r}")
    if not np.isfinite(light).all() or (np.diff(light) < -1e-6).any() or not light[-1] > light[0]:
        raise ValueError("a curve that does not rise")
    return light.astype(np.float32)


def _parametric(tag: bytes) -> Float[np.ndarray, " steps"]:
    r"""Returns a curve of ICC's types 0 to 4: :math:`(a x + b)^g + e` from :math:`d` on, :math:`c x + f` below."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = ["g", "ga b", "ga b c", "ga b c d", "ga b c d e f"][kind].replace(" ", "")
    p = {name: value / 65536 for name, value in zip(names, struct.unpack_from(f">{len(names)}i", tag, 12), strict=True)}
    g, a, b = p["g"], p.get("a", 1.0), p.get("b", 0.0)
    power = np.power(np.clip(a * _GRID + b, 0, None), g)
    e, f = p.get("e", 0.0), p.get("f", 0.0)
    light: Float[np.ndarray, " steps"] = power
    if kind in (1, 2):  # `c` is added to both parts of type 2
        light = np.where(-b / a <= _GRID, power, 0) + p.get("c", 0.0)
    elif kind > 2:
        light = np.where(p["d"] <= _GRID, power + e, p["c"] * _GRID + f)
    return light
