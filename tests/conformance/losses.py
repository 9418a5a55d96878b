"""Right losses in plain words, and how to read verdicts, for tests of the suite."""

from collections.abc import Callable

import torch
from torch import Tensor

from pdloss.conformance import Verdict

Loss = Callable[[Tensor, Tensor], Tensor]


def failed(verdicts: list[Verdict]) -> set[str]:
    return {verdict.name for verdict in verdicts if verdict.passed is False}


def said(verdicts: list[Verdict], name: str) -> str:
    return next(verdict.said for verdict in verdicts if verdict.name == name)


def marginals(u: Tensor, v: Tensor) -> Tensor:
    """The plain right answer, by torch.sort: mean |u_(i) - v_(i)| for each channel and image."""
    return (u.flatten(2).sort(-1).values - v.flatten(2).sort(-1).values).abs().mean((1, 2))


def along_random_directions(u: Tensor, v: Tensor) -> Tensor:
    """Right too, along 32 fresh directions from torch's own generator."""
    directions = torch.randn(32, u.shape[1], dtype=u.dtype)
    ways = directions / directions.norm(dim=1, keepdim=True)
    return marginals(torch.einsum("mc,bchw->bmhw", ways, u), torch.einsum("mc,bchw->bmhw", ways, v))
