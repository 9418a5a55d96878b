"""Number formats that losses compute in."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Returns half-precision tensors as float32, others as they are.

    A bfloat16 has 8 significant bits: differences of nearly equal features, and means of thousands, need more.
    """
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
