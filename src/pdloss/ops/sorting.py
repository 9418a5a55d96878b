"""Sorting rows of floats together with their places on a CPU, with NumPy's vectorised sort of integers.

NumPy sorts plain numbers with vector instructions, but not numbers together with their places; `torch.sort` uses none.
So each float's bits, rearranged to ascend as integers do, go above its place into one integer. Sorting the integers
sorts the floats, leaves equal ones in the order they came in, and carries the permutation along.
"""

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

_PLACES = np.arange(BLOCK, dtype=np.int64)
_NARROW_PLACES = _PLACES.astype(np.int32)


def has_packed_sort(x: Tensor) -> bool:
    """Returns whether `places_by_rank` can sort `x`: on a CPU, at most 32 bits a value."""
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


def places_by_rank(bits: NDArray[Any]) -> NDArray[np.intp]:
    """Returns, for each rank within each row, the place in ``bits.ravel()`` of the float that has it.

    Equal floats keep their order, and -0.0 equals 0.0. NaN comes first or last in its row, as its sign bit says.

    Args:
        bits: Bits of floats, (R, N), int32 or int16, fewer than 2**32 in all.

    Example:
        >>> places_by_rank(np.array([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]], dtype=np.float32).view(np.int32))
        array([[1, 2, 0], [3, 5, 4]])
    """
    # A 16-bit float and a place below 65536 share 32 bits, which sort faster than 64.
    narrow = bits.itemsize == 2 and bits.size <= 1 << 16
    shift, known = (16, _NARROW_PLACES) if narrow else (32, _PLACES)
    places = known[: bits.size] if bits.size <= known.size else np.arange(bits.size)
    # From sign and magnitude to two's complement.
    sign = bits >> (8 * bits.itemsize - 1)
    ascending = bits & np.iinfo(bits.dtype).max
    ascending ^= sign
    ascending -= sign
    keys: NDArray[Any] = ascending.astype(places.dtype)
    keys <<= shift
    keys |= places.reshape(bits.shape)
    keys.sort(axis=-1)
    keys &= (1 << shift) - 1
    return keys.astype(np.intp, copy=False)


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
