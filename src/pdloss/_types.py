"""The shape names used everywhere and the three callables a user may bring."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "b 3 h w"]
"""A batch of RGB images in [0, 1]."""

Image = Float[Tensor, "3 h w"]
"""One RGB image in [0, 1]."""

Features = Mapping[str, Tensor]
"""Activations by layer name, each (B, C, H, W)."""


@runtime_checkable
class Loss(Protocol):
    """Measures how far `restored` is from `target`."""

    def __call__(self, restored: Tensor, target: Tensor, /) -> Tensor:
        """Returns a scalar for two (B, 3, H, W) batches."""


@runtime_checkable
class Degradation(Protocol):
    """Spoils a clean image; all its randomness comes from the generator."""

    def __call__(self, clean: Tensor, generator: torch.Generator, /) -> Tensor:
        """Returns the degraded image of one clean (3, H, W) image."""


@runtime_checkable
class Network(Protocol):
    """Restores degraded images."""

    def __call__(self, degraded: Tensor, /) -> Tensor:
        """Returns the restored (B, 3, H, W) batch."""


def check_pair(restored: Tensor, target: Tensor) -> None:
    """Refuses two batches that cannot be compared.

    Raises:
        ValueError: If the shapes differ, or are not (B, 3, H, W), or the values are not floating point.
    """
    if restored.shape != target.shape:
        raise ValueError(f"restored {tuple(restored.shape)} and target {tuple(target.shape)} must have the same shape")
    if restored.ndim != 4 or restored.shape[1] != 3:
        raise ValueError(
            f"expected RGB batches of shape (B, 3, H, W), got {tuple(restored.shape)}"
            + ("; the channels come second: permute(0, 3, 1, 2)" if restored.shape[-1:] == (3,) else "")
        )
    if not (restored.is_floating_point() and target.is_floating_point()):
        raise ValueError(
            f"expected floating-point images in [0, 1], got {restored.dtype} and {target.dtype}; "
            "divide 8-bit values by 255"
        )
