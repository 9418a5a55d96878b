"""Which network a set of weights belongs to: by its text beside them, else by their names and shapes.

Programs that load weights see names and tensors, and no header. An exported file therefore keeps the network's text as
one more tensor, of bytes. Without it, options that leave no trace in the weights, such as EDSR's scale of residual
branches, cannot be told, and the usual ones are taken.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from pdloss.errors import SpecError
from pdloss.limits import SPEC_LETTERS
from pdloss.networks import NETWORKS, network

NETWORK_KEY = "pdloss.network"
"""Name of the tensor that holds the text, in UTF-8."""


def text_tensor(text: str) -> Tensor:
    """Returns the text as a tensor of bytes.

    Example:
        >>> text_tensor("srn").tolist()
        [115, 114, 110]
    """
    return torch.tensor(list(text.encode()), dtype=torch.uint8)


def text_in(tensors: Mapping[str, Tensor]) -> str | None:
    """Returns the text among the tensors; None if there is none that can be read."""
    held = tensors.get(NETWORK_KEY)
    if held is None or held.dtype != torch.uint8 or held.numel() > SPEC_LETTERS:
        return None
    return bytes(held.flatten().tolist()).decode("utf-8", "replace")


def network_of(tensors: Mapping[str, Tensor]) -> str | None:
    """Returns the text of one of our networks that these are the weights of; None if there is none.

    Where the tensors hold a text, it must name one of our networks whose names and shapes these are.
    """
    text = text_in(tensors)
    candidates = [text] if text is not None else _guessed(tensors)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items() if name != NETWORK_KEY}
    for candidate in candidates:
        try:
            with torch.device("meta"):
                expected = {name: tuple(tensor.shape) for name, tensor in network(candidate).state_dict().items()}
        except (SpecError, RuntimeError):
            continue
        if expected == shapes:
            return NETWORKS.parse(candidate).in_full()
    return None


def _guessed(tensors: Mapping[str, Tensor]) -> list[str]:
    """Returns texts that are worth comparing."""
    if "head.weight" in tensors and "tail.0.weight" in tensors:
        width, inputs = tensors["head.weight"].shape[:2]
        blocks = _count(tensors, r"body\.(\d+)\.body\.0\.weight")
        block = max(1, round((inputs / 3) ** 0.5))
        return [f"edsr(scale={scale}, blocks={blocks}, width={width}, unshuffle={block if scale == 1 else 1})"
                for scale in (1, 2, 3, 4)]  # fmt: skip
    if "head.0.weight" in tensors and "head.1.weight" in tensors:
        width, blocks = len(tensors["head.0.weight"]), _count(tensors, r"body\.(\d+)\.body\.0\.weight")
        return [f"srresnet(scale={scale}, blocks={blocks}, width={width}, batch_norm={norm})"
                for scale in (2, 4) for norm in (True, False)]  # fmt: skip
    if "changes.0.enter.weight" in tensors:
        width, inputs = tensors["changes.0.enter.weight"].shape[:2]
        planes = inputs == 2
        return [f"srn(width={width}, lstm={'memory.gates.weight' in tensors}, planes={planes})",
                f"dsdeblur(width={width}, planes={planes})"]  # fmt: skip
    return []


def _count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    """Returns how many numbers the pattern finds among the names."""
    return len({found[1] for name in tensors if (found := re.fullmatch(pattern, name))})
