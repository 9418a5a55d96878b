"""Differences place by place."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option

Power = Literal[1, 2]
"""Of the differences: absolute or squared."""


def mean_difference(
    restored: Float[Tensor, " b *places"], target: Float[Tensor, " b *places"], p: Power = 1
) -> Float[Tensor, " b"]:
    """Returns the mean of absolute or squared differences, one value per image; no root is taken.

    Args:
        restored: Values (B, *).
        target: Values of the same shape.
        p: 1 for absolute, 2 for squared differences.

    Raises:
        ValueError: If `p` is neither.
    """
    check_option(Power, p=p)
    difference = at_least_float32(restored) - at_least_float32(target)
    return (difference.abs() if p == 1 else difference.square()).flatten(1).mean(-1)
