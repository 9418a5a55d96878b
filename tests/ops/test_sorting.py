"""Sorting floats together with their places, against NumPy's stable sort."""

import numpy as np
import pytest
import torch

from pdloss.ops.sorting import bit_rows, floats, has_packed_sort, in_blocks, ranked

DTYPES = [torch.float32, torch.float16, torch.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 50), (2, 40_000)])  # the latter past what 16 bits of places can say
def test_places_are_those_of_a_stable_sort(dtype: torch.dtype, shape: tuple[int, int], generator: torch.Generator):
    x = (8 * torch.randn(shape, generator=generator)).round().to(dtype) / 8  # many ties
    expected = np.argsort(x.float().numpy(), axis=-1, kind="stable") + shape[1] * np.arange(shape[0])[:, None]
    values, places = ranked(bit_rows(x), dtype)
    assert np.array_equal(places, expected)
    assert np.array_equal(values, np.sort(x.float().numpy(), axis=-1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinities_come_first_and_last(dtype: torch.dtype) -> None:
    x = torch.tensor([[1.0, torch.inf, -1.0, -torch.inf, 0.0]], dtype=dtype)
    values, places = ranked(bit_rows(x), dtype)
    assert places.tolist() == [[3, 2, 4, 0, 1]]
    assert values.tolist() == [[-torch.inf, -1, 0, 1, torch.inf]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_mean_the_values_that_they_were_taken_of(dtype: torch.dtype, generator: torch.Generator) -> None:
    x = torch.randn(2, 3, 7, generator=generator).to(dtype)
    assert np.array_equal(floats(bit_rows(x), dtype), x.float().reshape(6, 7).numpy())


def test_doubles_are_left_to_torch() -> None:
    assert [has_packed_sort(torch.zeros(2, dtype=dtype)) for dtype in (*DTYPES, torch.float64)] == [True] * 3 + [False]


def test_blocks_make_up_all_rows_once() -> None:
    rows = np.zeros(1000, dtype=int)

    def count(block: slice) -> None:
        rows[block] += 1

    in_blocks(count, 1000, 5000)
    assert (rows == 1).all()
