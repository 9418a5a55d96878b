"""The layers of FID's Inception-v3, as a table, with the names that pytorch-fid's checkpoint gives them.

Szegedy et al. 2015, https://arxiv.org/abs/1512.00567, as TensorFlow's graph ``inception-2015-12-05`` has it. It differs
from torchvision's network: average pools count only what lies inside the map, the last block pools with a maximum,
and the weights are others.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from pdloss.ops.options import check_option

Dims = Literal[64, 192, 768, 2048]
"""Lengths of the four feature vectors; only the last makes what is called FID without an addition."""


class Convolution(NamedTuple):
    """A convolution without bias, its batch normalisation (epsilon 0.001) and a ReLU."""

    name: str
    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True
    """With zeros, so that the map keeps its size; only at stride 1."""


Pool: TypeAlias = Literal["average", "maximum", "halving"]
Branch: TypeAlias = tuple["Convolution | Pool | Block", ...]
"""Steps, one after the other."""


class Block(NamedTuple):
    """Branches that see the same map; their results are joined."""

    name: str
    branches: tuple[Branch, ...]


def _mixed_5(pooled: int) -> tuple[Branch, ...]:
    return (
        (Convolution("branch1x1", 64),),
        (Convolution("branch5x5_1", 48), Convolution("branch5x5_2", 64, (5, 5))),
        (
            Convolution("branch3x3dbl_1", 64),
            Convolution("branch3x3dbl_2", 96, (3, 3)),
            Convolution("branch3x3dbl_3", 96, (3, 3)),
        ),
        ("average", Convolution("branch_pool", pooled)),
    )


def _mixed_6a() -> tuple[Branch, ...]:
    return (
        (Convolution("branch3x3", 384, (3, 3), 2, False),),
        (
            Convolution("branch3x3dbl_1", 64),
            Convolution("branch3x3dbl_2", 96, (3, 3)),
            Convolution("branch3x3dbl_3", 96, (3, 3), 2, False),
        ),
        ("halving",),
    )


def _mixed_6(inner: int) -> tuple[Branch, ...]:
    flat, tall = (1, 7), (7, 1)
    return (
        (Convolution("branch1x1", 192),),
        (
            Convolution("branch7x7_1", inner),
            Convolution("branch7x7_2", inner, flat),
            Convolution("branch7x7_3", 192, tall),
        ),
        (
            Convolution("branch7x7dbl_1", inner),
            Convolution("branch7x7dbl_2", inner, tall),
            Convolution("branch7x7dbl_3", inner, flat),
            Convolution("branch7x7dbl_4", inner, tall),
            Convolution("branch7x7dbl_5", 192, flat),
        ),
        ("average", Convolution("branch_pool", 192)),
    )


def _mixed_7a() -> tuple[Branch, ...]:
    return (
        (Convolution("branch3x3_1", 192), Convolution("branch3x3_2", 320, (3, 3), 2, False)),
        (
            Convolution("branch7x7x3_1", 192),
            Convolution("branch7x7x3_2", 192, (1, 7)),
            Convolution("branch7x7x3_3", 192, (7, 1)),
            Convolution("branch7x7x3_4", 192, (3, 3), 2, False),
        ),
        ("halving",),
    )


def _mixed_7(pool: Pool) -> tuple[Branch, ...]:
    def crossed(name: str, first: str, second: str) -> Block:
        flat, tall = Convolution(name + first, 384, (1, 3)), Convolution(name + second, 384, (3, 1))
        return Block("", ((flat,), (tall,)))

    return (
        (Convolution("branch1x1", 320),),
        (Convolution("branch3x3_1", 384), crossed("branch3x3", "_2a", "_2b")),
        (
            Convolution("branch3x3dbl_1", 448),
            Convolution("branch3x3dbl_2", 384, (3, 3)),
            crossed("branch3x3dbl", "_3a", "_3b"),
        ),
        (pool, Convolution("branch_pool", 192)),
    )


_STAGES: dict[Dims, Branch] = {
    64: (
        Convolution("Conv2d_1a_3x3", 32, (3, 3), 2, False),
        Convolution("Conv2d_2a_3x3", 32, (3, 3), 1, False),
        Convolution("Conv2d_2b_3x3", 64, (3, 3)),
        "halving",
    ),
    192: (Convolution("Conv2d_3b_1x1", 80), Convolution("Conv2d_4a_3x3", 192, (3, 3), 1, False), "halving"),
    768: (
        *(Block(f"Mixed_5{letter}.", _mixed_5(pooled)) for letter, pooled in (("b", 32), ("c", 64), ("d", 64))),
        Block("Mixed_6a.", _mixed_6a()),
        *(Block(f"Mixed_6{letter}.", _mixed_6(c)) for letter, c in (("b", 128), ("c", 160), ("d", 160), ("e", 192))),
    ),
    2048: (
        Block("Mixed_7a.", _mixed_7a()),
        Block("Mixed_7b.", _mixed_7("average")),
        Block("Mixed_7c.", _mixed_7("maximum")),
    ),
}
"""What each vector needs beyond the one before."""


def shapes(dims: Dims = 2048) -> dict[str, tuple[int, ...]]:
    """Returns the name and shape of every tensor needed, as pytorch-fid's checkpoint has them.

    Example:
        >>> shapes(64)["Conv2d_2b_3x3.conv.weight"], shapes(64)["Conv2d_2b_3x3.bn.running_var"]
        ((64, 32, 3, 3), (64,))
    """
    found: dict[str, tuple[int, ...]] = {}
    for name, convolution, channels in convolutions(up_to(dims)):
        found[f"{name}.conv.weight"] = (convolution.channels, channels, *convolution.kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.bn.{part}"] = (convolution.channels,)
    return found


def up_to(dims: Dims) -> Branch:
    """Returns the steps from the image to the map whose mean is the vector of that length.

    Raises:
        ValueError: If the network has no vector of that length.
    """
    check_option(Dims, dims=dims)
    return tuple(step for reached, stage in _STAGES.items() if reached <= dims for step in stage)


def convolutions(steps: Branch, prefix: str = "", channels: int = 3) -> Iterator[tuple[str, Convolution, int]]:
    """Yields the full name of every convolution, what it is, and how many channels it is given."""
    for step in steps:
        if isinstance(step, Convolution):
            yield prefix + step.name, step, channels
            channels = step.channels
        elif isinstance(step, Block):
            joined = 0
            for branch in step.branches:
                yield from convolutions(branch, prefix + step.name, channels)
                joined += _channels(branch, channels)
            channels = joined


def _channels(steps: Branch, channels: int) -> int:
    """Returns how many channels leave the steps."""
    for step in steps:
        if isinstance(step, Convolution):
            channels = step.channels
        elif isinstance(step, Block):
            channels = sum(_channels(branch, channels) for branch in step.branches)
    return channels
