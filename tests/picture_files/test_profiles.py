"""Profiles' colours as sRGB, compared with LittleCMS, and back."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from pdloss.picture_files.profiles import curves_and_matrix, decoded, encoded
from tests.picture_files.profiles_for_tests import adobe_like, gamma, gray, parametric

SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
TABLE = b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *(round(65535 * (i / 1023) ** 1.8) for i in range(1024)))
PROFILES = {
    "gamma": adobe_like(),
    "sRGB's curve": adobe_like(parametric(3, *SRGB)),
    "a power": adobe_like(parametric(0, 1.8)),
    "a table": adobe_like(TABLE),
    "linear": adobe_like(b"curv\0\0\0\0" + bytes(4)),
}


def every_colour(steps: int = 18) -> np.ndarray:
    levels = np.linspace(0, 255, steps).round().astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)


@pytest.mark.parametrize("name", PROFILES)
def test_colours_inside_srgb_are_those_of_littlecms(name: str) -> None:
    conversion = curves_and_matrix(PROFILES[name])
    colours = every_colour()
    ours = conversion.to_srgb(colours)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(PROFILES[name]))
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB", 1)
    theirs = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform)).astype(float)
    inside = ((ours > 0.002) & (ours < 0.998)).all(-1)
    assert inside.sum() > 1000 and (~inside).sum() > 100
    assert np.abs(ours[inside] * 255 - theirs[inside]).max() <= 1.5


@pytest.mark.parametrize("name", PROFILES)
def test_every_8_bit_colour_comes_back(name: str) -> None:
    conversion = curves_and_matrix(PROFILES[name])
    colours = every_colour(36)
    back = conversion.from_srgb(conversion.to_srgb(colours))
    assert np.array_equal(np.floor(back * 255 + 0.5), colours)


def test_gray_has_a_curve_alone() -> None:
    conversion = curves_and_matrix(gray(gamma(1.0)))
    light = np.array([[[0], [64], [255]]], np.uint8)
    srgb = conversion.to_srgb(light)
    np.testing.assert_allclose(srgb[0, 1, 0], 1.055 * (64 / 255) ** (1 / 2.4) - 0.055, atol=1e-5)
    np.testing.assert_allclose(conversion.from_srgb(srgb) * 255, light, atol=0.01)


def test_srgb_is_its_own_inverse_on_both_sides_of_zero() -> None:
    values = np.linspace(-0.5, 1.5, 1001, dtype=np.float32)
    np.testing.assert_allclose(encoded(decoded(values)), values, atol=1e-5)
    assert decoded(np.float32([0.5]))[0] == pytest.approx(0.2140411, abs=1e-6)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        PROFILES["gamma"][:200],
        PROFILES["gamma"].replace(b"rTRC", b"A2B0"),
        gray(b"mABC" + bytes(8)),
        PROFILES["a table"].replace(TABLE[12:], TABLE[:11:-1]),
    ],
    ids=["nothing", "cut", "tables", "unknown curve", "falling curve"],
)
def test_what_is_not_curves_and_a_matrix_is_left_alone(profile: bytes) -> None:
    assert curves_and_matrix(profile) is None
