"""Reads a pickle of nested dictionaries of NumPy arrays, and refuses every other.

Old weights of JAX networks come so. A pickle is a program; this one may call three names only, none of which is called
here in truth: stand-ins take down what they would be called with, and the arrays are then made from plain bytes.
"""

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_KINDS = {"f2": "<f2", "f4": "<f4", "f8": "<f8"}


def read_pickled_arrays(path: Path) -> "dict[str, np.ndarray]":
    """Returns the arrays by the keys that lead to them, joined by ``/``.

    Args:
        path: A pickle of dictionaries, with text for keys, of floating-point NumPy arrays.

    Raises:
        ValueError: If it names anything but NumPy's arrays, holds anything else, or is damaged.
    """
    with path.open("rb") as file:
        try:
            state = _Reader(file).load()
        except _ForeignNameError as refused:
            raise ValueError(f"it asks for {refused}, and no code named in a file is ever run") from None
        except Exception as error:  # the unpickler raises whatever a strange file makes it raise
            raise ValueError(f"it is no pickle of NumPy arrays, or damaged ({type(error).__name__})") from None
    return dict(_flat(state, ""))


class _ForeignNameError(Exception):
    """A pickle asks for a name that it must not."""


class _Type:
    """Stands in for ``numpy.dtype(code, align, copy)``; what it is set to later holds its byte order."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]


class _Array:
    """Stands in for the array that ``_reconstruct`` makes empty, and that is then set to its content."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> "np.ndarray":
        """Returns the array, made from its bytes."""
        import numpy as np  # here, so that a list of weights loads none of it

        _, shape, kind, fortran, data = self.state
        if not isinstance(kind, _Type) or kind.code not in _KINDS or kind.order not in ("<", "="):
            raise ValueError("an array in it holds no little-endian floating-point numbers")
        dtype = np.dtype(_KINDS[kind.code])
        if not isinstance(data, bytes) or len(data) != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"an array of shape {shape} in it has another number of bytes")
        return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


class _Reader(pickle.Unpickler):
    _NAMES: Mapping[str, Any] = {"_reconstruct": _Array, "ndarray": _Array, "dtype": _Type}

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in self._NAMES:
            return self._NAMES[name]
        raise _ForeignNameError(f"{module}.{name}")


def _flat(node: object, path: str) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if not isinstance(key, str):
                raise ValueError(f"it holds a key that is no text: {key!r}")
            yield from _flat(value, f"{path}/{key}" if path else key)
    elif isinstance(node, _Array):
        yield path, node.array()
    else:
        raise ValueError(f"it holds a {type(node).__name__} at {path or 'its top'}, expected NumPy arrays")
