"""The shape names used everywhere and the three callables a user may bring."""

import inspect
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pdloss.specs.trust import Kind

Images = Float[Tensor, "b 3 h w"]
"""A batch of RGB images in [0, 1]."""

Image = Float[Tensor, "3 h w"]
"""One RGB image in [0, 1]."""


@runtime_checkable
class Loss(Protocol):
    """Measures how far `restored` is from `target`."""

    def __call__(self, restored: Tensor, target: Tensor, /) -> Tensor:
        """Returns a scalar for two (B, 3, H, W) batches."""


@runtime_checkable
class Degradation(Protocol):
    """Degrades a clean image; all its randomness comes from the generator."""

    def __call__(self, clean: Tensor, generator: torch.Generator, /) -> Tensor:
        """Returns the degraded image of one clean (3, H, W) image."""


@runtime_checkable
class Network(Protocol):
    """Restores degraded images."""

    def __call__(self, degraded: Tensor, /) -> Tensor:
        """Returns the restored (B, 3, H, W) batch."""


def _callable_with(count: int, kind: type) -> bool:
    """Whether objects of the class are modules, or can be called with so many arguments."""
    if issubclass(kind, nn.Module):
        return True
    if not hasattr(kind, "__call__") or not any("__call__" in vars(base) for base in kind.__mro__):  # noqa: B004
        return False
    try:
        inspect.signature(kind.__call__).bind(*range(count + 1))
    except (TypeError, ValueError):
        return False
    return True


OWN_NETWORK = Kind("a network: a class derived from torch.nn.Module", lambda kind: issubclass(kind, nn.Module))
OWN_CRITIC = Kind("a critic: a class derived from torch.nn.Module", lambda kind: issubclass(kind, nn.Module))
OWN_LOSS = Kind(
    "a loss: a class derived from torch.nn.Module, or whose objects are called with (restored, target)",
    lambda kind: _callable_with(2, kind),
)
OWN_DEGRADATION = Kind(
    "a degradation: a class whose objects are called with (clean, generator)", lambda kind: _callable_with(2, kind)
)
OWN_FEATURES = Kind(
    "features: a class derived from torch.nn.Module, or whose objects are called with (images)",
    lambda kind: _callable_with(1, kind),
)


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
