"""Sorting rows of floats together with their places on a CPU, with NumPy's vectorised sort of integers.

NumPy sorts plain numbers with vector instructions, but not numbers together with their places; `torch.sort` uses none.
So each float's bits, rearranged to ascend as integers do, go above its place into one integer. Sorting the integers
sorts the floats, leaves equal ones in the order they came in, and carries the permutation along.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BITS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float16: torch.int16}

BLOCK = 1 << 16
"""Values of one block: its keys and temporaries stay in the cache, and each place in it can be said in 16 bits."""

_PLACES = np.arange(BLOCK, dtype=np.int32)
_UPPER = 1 if sys.byteorder == "little" else 0
"""Which of an integer's two halves says more."""


def has_packed_sort(x: Tensor) -> bool:
    """Returns whether `ranked` can sort `x`: on a CPU, at most 32 bits a value."""
    return x.device.type == "cpu" and x.dtype in _BITS


def bit_rows(x: Tensor) -> NDArray[Any]:
    r"""Returns the bits of :math:`(*, N)` floats as an (R, N) array of integers, in place where `x` is contiguous."""
    return x.detach().contiguous().view(_BITS[x.dtype]).reshape(-1, x.shape[-1]).numpy()


def floats(bits: NDArray[Any], dtype: torch.dtype) -> NDArray[np.float32]:
    """Returns what `bits` mean in `dtype`, as float32; float32 itself is seen in place."""
    if dtype == torch.bfloat16:  # the upper half of a float32
        values: NDArray[np.float32] = np.left_shift(bits, 16, dtype=np.int32).view(np.float32)
        return values
    return bits.view(np.float32 if dtype == torch.float32 else np.float16).astype(np.float32, copy=False)


def ranked(bits: NDArray[Any], dtype: torch.dtype) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Returns the floats of each row in ascending order, and the place in ``bits.ravel()`` that each came from.

    Equal floats keep their order, and -0.0 equals 0.0. NaN comes first or last in its row, as its sign bit says.

    Args:
        bits: Bits of floats, (R, N), int32 or int16, fewer than 2**31 in all.
        dtype: What the bits mean.

    Example:
        >>> values, places = ranked(bit_rows(torch.tensor([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]])), torch.float32)
        >>> values
        array([[1., 2., 3.],
               [4., 5., 6.]], dtype=float32)
        >>> places
        array([[1, 2, 0],
               [3, 5, 4]])
    """
    # A 16-bit float and a place below 65536 share 32 bits, which sort faster than 64.
    narrow = dtype == torch.bfloat16 and bits.size <= BLOCK
    magnitude = np.int32(0x7FFF0000 if narrow else 0x7FFFFFFF)
    values = (floats(bits, dtype) + np.float32(0)).view(np.int32)  # the sum has no -0.0
    _mirror_negatives(values, magnitude)
    places = _PLACES[: bits.size] if bits.size <= BLOCK else np.arange(bits.size, dtype=np.int32)
    if narrow:
        values |= places.reshape(bits.shape)
        values.sort(axis=-1)
        places = values & 0xFFFF
        values ^= places
    else:
        keys = np.empty(bits.shape, dtype=np.int64)
        halves = keys.view(np.int32).reshape(*bits.shape, 2)
        halves[..., _UPPER], halves[..., 1 - _UPPER] = values, places.reshape(bits.shape)
        keys.sort(axis=-1)
        values, places = halves[..., _UPPER].copy(), halves[..., 1 - _UPPER]
    _mirror_negatives(values, magnitude)
    return values.view(np.float32), places.astype(np.intp)


def _mirror_negatives(bits: NDArray[np.int32], magnitude: np.int32) -> None:
    """Makes bits of sign and magnitude, in place, integers that ascend as the floats do; and those again the bits."""
    flips = bits >> 31
    flips &= magnitude
    bits ^= flips


def in_blocks(work: Callable[[slice], None], rows: int, n: int) -> None:
    """Calls `work` on slices that together make up `rows` rows of `n` values, in at most as many threads as torch uses.

    Args:
        work: Does one block; safe to call from several threads at once.
        rows: Number of rows.
        n: Values in a row.
    """
    step = max(1, BLOCK // n)
    blocks = [slice(start, start + step) for start in range(0, rows, step)]
    helpers = min(torch.get_num_threads(), len(blocks)) - 1
    remaining, lock = iter(blocks), Lock()

    def share() -> None:
        while True:
            with lock:
                block = next(remaining, None)
            if block is None:
                return
            work(block)

    if helpers < 1:
        share()
        return
    # NumPy lets other threads run while it computes. The pool ends with the call: kept, it would not survive a fork.
    with ThreadPoolExecutor(helpers) as pool:
        shares = [pool.submit(share) for _ in range(helpers)]
        share()
        for done in shares:
            done.result()
