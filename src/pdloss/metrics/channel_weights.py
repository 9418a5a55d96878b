"""The published weights of feature channels that learned metrics are made of."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pdloss.errors import AssetError
from pdloss.features.frozen import read_weights


def channel_weights(path: Path, sizes: Mapping[str, int], called: str) -> dict[str, Tensor]:
    """Returns vectors of weights out of a safetensors file, in float32.

    Args:
        path: The file.
        sizes: Key to the number of weights.
        called: What the message calls them.

    Raises:
        AssetError: If a key is missing, or its weights are too many, too few or below zero.
    """
    tensors, found = read_weights(path), {}
    for key, size in sizes.items():
        if key not in tensors or tensors[key].numel() != size:
            got = f"of shape {tuple(tensors[key].shape)}" if key in tensors else "missing"
            raise AssetError(f"{path} holds no {called}: {key} should have {size} weights, but is {got}")
        if bool((tensors[key] < 0).any()):
            raise AssetError(f"{path} is damaged: {key} holds negative weights, and a distance cannot have them")
        found[key] = tensors[key].float().flatten()
    return found
