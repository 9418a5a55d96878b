"""What was made of the last few images is not made again: a target is looked at once, however many restore it."""

import weakref
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class _Memory(NamedTuple):
    images: "weakref.ref[Tensor]"
    version: int
    result: Any


class Recent(Generic[T]):
    """Remembers what was made of the last few tensors, known by identity; forgets it as soon as the tensor is gone.

    Nothing is remembered where gradients are recorded, which would keep a graph alive.

    Args:
        keep: Of how many tensors.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self._memories: list[_Memory] = []

    def __call__(self, images: Tensor, compute: Callable[[Tensor], T]) -> T:
        """Returns what `compute`, always the same function, makes of the images."""
        # An inference tensor does not tell whether it was written to.
        if torch.compiler.is_compiling() or torch.is_grad_enabled() or images.is_inference():
            return compute(images)
        known = next((m for m in self._memories if m.images() is images and m.version == images._version), None)
        if known is None:
            result = compute(images)
            known = _Memory(weakref.ref(images, self._forget), images._version, result)
        others = [memory for memory in self._memories if memory.images() is not images]
        self._memories = [*others, known][-self.keep :]
        found: T = known.result
        return found

    def _forget(self, gone: "weakref.ref[Tensor]") -> None:
        self._memories = [memory for memory in self._memories if memory.images is not gone]

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies remember nothing."""
        return type(self), (self.keep,)
