"""A decoded file's values: 8-bit RGB as it is, deeper gray in [0, 1], and a note of every conversion."""

from typing import Any

import numpy as np
import PIL.Image
import pytest

from pdloss.picture_files.values import converted


def test_eight_bit_rgb_stays_as_it_is_without_a_note() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    values, notes = converted(PIL.Image.fromarray(pixels))
    assert np.array_equal(values, pixels)
    assert notes == []


def test_alpha_is_dropped_and_not_blended() -> None:
    pixels = np.full((2, 2, 4), 200, dtype=np.uint8)
    pixels[..., 3] = 0
    values, notes = converted(PIL.Image.fromarray(pixels))
    assert (values == 200).all()
    assert "alpha dropped" in notes


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 65535]], dtype=np.uint16), [[0.0, 1.0]]),
        (np.array([[0.0, 0.25]], dtype=np.float32), [[0.0, 0.25]]),
        (np.array([[0, 13107]], dtype=np.int32), [[0.0, 0.2]]),
    ],
)
def test_deep_gray_is_divided_by_its_white(values: Any, expected: list[list[float]]) -> None:
    found, notes = converted(PIL.Image.fromarray(values))
    assert found == pytest.approx(np.array(expected))
    assert notes


@pytest.mark.parametrize("values", [[[0.0, 1.5]], [[-0.1, 1.0]], [[0.0, np.nan]]])
def test_gray_whose_white_nobody_knows_is_refused(values: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="nobody knows which of them is white|are not numbers"):
        converted(PIL.Image.fromarray(np.array(values, dtype=np.float32)))
