"""What a file says of its colours is believed: other spaces become sRGB, sRGB stays as it is to the bit."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from pdloss.datasets import Photographs
from pdloss.picture_files import read

STEPS = np.linspace(0, 255, 6).round().astype(np.uint8)
COLOURS = np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(18, 12, 3)

# Primaries as XYZ columns under D50, from the ICC's own profiles of Display P3 and sRGB (Bradford-adapted).
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])


def fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def profile(primaries: np.ndarray, gamma: float | None, description: str = "test space") -> bytes:
    """An ICC profile of three primaries and a curve, by the standard: a gamma, or sRGB's own for None."""
    g, a, b, c, d = 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(fixed, (g, a, b, c, d)))
    if gamma is not None:
        curve = b"para" + bytes(4) + struct.pack(">HH", 0, 0) + fixed(gamma)
    text = description.encode() + b"\0"
    said = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags = {b"desc": said, b"wtpt": b"XYZ " + bytes(4) + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))}
    for name, column in zip("rgb", primaries.T, strict=True):
        tags[f"{name}XYZ".encode()] = b"XYZ " + bytes(4) + b"".join(map(fixed, column))
        tags[f"{name}TRC".encode()] = curve
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def from_srgb(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_srgb(light: np.ndarray) -> np.ndarray:
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def saved(path: Path, values: np.ndarray = COLOURS, **options: object) -> Path:
    PIL.Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_display_p3_is_converted_as_its_primaries_say(suffix: str, tmp_path: Path) -> None:
    options = {"lossless": True} if suffix == ".webp" else {}
    path = saved(tmp_path / f"a{suffix}", icc_profile=profile(P3, None, "Display P3"), **options)
    light = from_srgb(COLOURS / 255) @ P3.T @ np.linalg.inv(SRGB).T
    expected = to_srgb(light) * 255
    found = read(path)
    assert np.abs(found.values - expected).max() < 2
    assert np.abs(COLOURS - expected).max() > 30
    assert found.notes == ["colours converted from Display P3 to sRGB"]


def test_linear_light_is_converted_by_the_formula(tmp_path: Path) -> None:
    found = read(saved(tmp_path / "a.png", icc_profile=profile(SRGB, 1.0, "linear")))
    assert np.abs(found.values - to_srgb(COLOURS / 255) * 255).max() < 2
    assert found.notes == ["colours converted from linear to sRGB"]


@pytest.mark.parametrize("which", ["standard", "made", "by hand", "none"])
def test_what_is_srgb_already_stays_as_it_is_to_the_bit(which: str, tmp_path: Path) -> None:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"none": {}, "made": {"icc_profile": made}, "standard": {"icc_profile": profile(SRGB, None, "whatever")}}
    by_hand = {"icc_profile": profile(SRGB + 0.00005, None)}
    found = read(saved(tmp_path / "a.png", **{**options, "by hand": by_hand}[which]))
    assert np.array_equal(found.values, COLOURS)
    assert found.notes == []


def with_chunk(path: Path, kind: bytes, body: bytes) -> Path:
    """Puts a chunk before a PNG's pixels."""
    data = path.read_bytes()
    at = data.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    path.write_bytes(data[:at] + chunk + data[at:])
    return path


@pytest.mark.parametrize("deep", [False, True])
def test_a_png_of_another_gamma_is_converted_by_the_formula(deep: bool, tmp_path: Path) -> None:
    values = np.arange(0, 65536, 4000, dtype=np.uint16)[None] if deep else COLOURS
    path = with_chunk(saved(tmp_path / "a.png", values), b"gAMA", struct.pack(">I", 100000))
    top = 65535 if deep else 255
    found = read(path)
    got = found.values if deep else found.values / 255
    assert np.abs(got - to_srgb(values / top)).max() < (1e-9 if deep else 0.51 / 255)
    assert found.notes[-1] == "colours converted from gamma 1 to sRGB"


def test_the_usual_gamma_changes_nothing_nor_does_one_beside_srgb(tmp_path: Path) -> None:
    usual = read(with_chunk(saved(tmp_path / "a.png"), b"gAMA", struct.pack(">I", 45455)))
    assert np.array_equal(usual.values, COLOURS)
    other = with_chunk(saved(tmp_path / "b.png"), b"gAMA", struct.pack(">I", 100000))
    named = read(with_chunk(other, b"sRGB", b"\0"))
    assert np.array_equal(named.values, COLOURS)
    assert usual.notes == named.notes == []


def test_a_profile_that_is_none_or_of_other_pixels_costs_a_note_only(tmp_path: Path) -> None:
    for number, wrong in enumerate(
        (b"no profile at all", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    ):
        found = read(saved(tmp_path / f"{number}.png", icc_profile=wrong))
        assert np.array_equal(found.values, COLOURS)
    assert read(tmp_path / "0.png").notes == ["faulty colour profile ignored"]


def test_gray_and_inks_and_alpha_are_converted_too(tmp_path: Path) -> None:
    linear = profile(SRGB, 1.0, "linear")
    expected = to_srgb(np.arange(256) / 255) * 255
    gray = np.arange(256, dtype=np.uint8)[None]
    found = read(saved(tmp_path / "gray.png", gray, icc_profile=linear))
    assert np.abs(found.values - expected[None, :, None]).max() < 2
    alpha = np.dstack([gray, gray, gray, gray[:, ::-1]])
    shown = read(saved(tmp_path / "alpha.png", alpha, icc_profile=linear))
    assert np.array_equal(shown.values, found.values)
    assert shown.notes == ["alpha dropped", "colours converted from linear to sRGB"]


def test_a_set_says_once_how_many_files_were_converted(tmp_path: Path) -> None:
    for number in range(3):
        saved(tmp_path / f"{number}.png", **({"icc_profile": profile(P3, None, "Display P3")} if number else {}))
    (tmp_path / "phone.heic").touch()
    for cached in (False, True, True):
        assert Photographs(tmp_path, cached=cached).notes == [
            "1 picture passed over: phone.heic (HEIC is not read: save it as PNG)",
            "2 files: colours converted from Display P3 to sRGB",
        ]


def test_the_thumbnail_hash_of_a_picture_is_that_of_its_srgb_values(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(COLOURS).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    saved(tmp_path / "b.png", icc_profile=profile(SRGB, None))
    hashes = Photographs(tmp_path).hashes
    assert hashes["a.png"] == hashes["b.png"]
