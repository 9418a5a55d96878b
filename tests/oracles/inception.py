"""FID's Inception-v3 written out step by step in double precision, with batch normalisation as such, from the facts
stated for pytorch-fid: which pools count the border, which pool is a maximum, what is padded.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def features(x: Tensor, weights: dict[str, Tensor], dims: int) -> Tensor:
    """The feature vectors (B, dims) of x, (B, 3, H, W) in [-1, 1]."""
    weights = {key: tensor.double() for key, tensor in weights.items()}

    def layer(name: str, x: Tensor, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> Tensor:
        x = F.conv2d(x, weights[f"{name}.conv.weight"], None, stride, padding)
        moments = weights[f"{name}.bn.running_mean"], weights[f"{name}.bn.running_var"]
        return F.batch_norm(x, *moments, weights[f"{name}.bn.weight"], weights[f"{name}.bn.bias"], eps=0.001).relu()

    def average(x: Tensor) -> Tensor:
        channels = x.shape[1]
        ones = torch.ones(channels, 1, 3, 3, dtype=x.dtype)
        total, count = (F.conv2d(y, ones, padding=1, groups=channels) for y in (x, torch.ones_like(x)))
        return total / count

    def halved(x: Tensor) -> Tensor:
        return x.unfold(2, 3, 2).unfold(3, 3, 2).amax(dim=(-1, -2))

    def largest(x: Tensor) -> Tensor:
        return F.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 1).unfold(3, 3, 1).amax(dim=(-1, -2))

    def block_5(at: str, x: Tensor) -> Tensor:
        one = layer(f"{at}.branch1x1", x)
        five = layer(f"{at}.branch5x5_2", layer(f"{at}.branch5x5_1", x), padding=(2, 2))
        three = layer(f"{at}.branch3x3dbl_2", layer(f"{at}.branch3x3dbl_1", x), padding=(1, 1))
        three = layer(f"{at}.branch3x3dbl_3", three, padding=(1, 1))
        return torch.cat([one, five, three, layer(f"{at}.branch_pool", average(x))], 1)

    def block_6a(at: str, x: Tensor) -> Tensor:
        twice = layer(f"{at}.branch3x3dbl_2", layer(f"{at}.branch3x3dbl_1", x), padding=(1, 1))
        twice = layer(f"{at}.branch3x3dbl_3", twice, stride=2)
        return torch.cat([layer(f"{at}.branch3x3", x, stride=2), twice, halved(x)], 1)

    def block_6(at: str, x: Tensor) -> Tensor:
        row, column = (0, 3), (3, 0)
        seven = layer(f"{at}.branch7x7_2", layer(f"{at}.branch7x7_1", x), padding=row)
        seven = layer(f"{at}.branch7x7_3", seven, padding=column)
        twice = layer(f"{at}.branch7x7dbl_1", x)
        for number, padding in ((2, column), (3, row), (4, column), (5, row)):
            twice = layer(f"{at}.branch7x7dbl_{number}", twice, padding=padding)
        return torch.cat([layer(f"{at}.branch1x1", x), seven, twice, layer(f"{at}.branch_pool", average(x))], 1)

    def block_7a(at: str, x: Tensor) -> Tensor:
        three = layer(f"{at}.branch3x3_2", layer(f"{at}.branch3x3_1", x), stride=2)
        seven = layer(f"{at}.branch7x7x3_2", layer(f"{at}.branch7x7x3_1", x), padding=(0, 3))
        seven = layer(f"{at}.branch7x7x3_3", seven, padding=(3, 0))
        return torch.cat([three, layer(f"{at}.branch7x7x3_4", seven, stride=2), halved(x)], 1)

    def block_7(at: str, x: Tensor, pooled: Tensor) -> Tensor:
        def fork(name: str, ends: tuple[str, str], x: Tensor) -> list[Tensor]:
            return [
                layer(f"{at}.{name}_{ends[0]}", x, padding=(0, 1)),
                layer(f"{at}.{name}_{ends[1]}", x, padding=(1, 0)),
            ]

        three = fork("branch3x3", ("2a", "2b"), layer(f"{at}.branch3x3_1", x))
        twice = layer(f"{at}.branch3x3dbl_2", layer(f"{at}.branch3x3dbl_1", x), padding=(1, 1))
        twice = fork("branch3x3dbl", ("3a", "3b"), twice)
        return torch.cat([layer(f"{at}.branch1x1", x), *three, *twice, layer(f"{at}.branch_pool", pooled)], 1)

    x = layer("Conv2d_1a_3x3", x.double(), stride=2)
    x = layer("Conv2d_2b_3x3", layer("Conv2d_2a_3x3", x), padding=(1, 1))
    x = halved(x)
    if dims > 64:
        x = halved(layer("Conv2d_4a_3x3", layer("Conv2d_3b_1x1", x)))
    if dims > 192:
        for letter in "bcd":
            x = block_5(f"Mixed_5{letter}", x)
        x = block_6a("Mixed_6a", x)
        for letter in "bcde":
            x = block_6(f"Mixed_6{letter}", x)
    if dims > 768:
        x = block_7a("Mixed_7a", x)
        x = block_7("Mixed_7b", x, average(x))
        x = block_7("Mixed_7c", x, largest(x))
    return x.mean(dim=(2, 3))


def random_weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Weights of those shapes that keep the maps' size, with every part of the batch normalisation at work."""
    generator = torch.Generator().manual_seed(3)

    def drawn(key: str, shape: tuple[int, ...]) -> Tensor:
        values = torch.randn(shape, generator=generator)
        if key.endswith("conv.weight"):
            return (1.4 * values / values[0].numel() ** 0.5).half()
        if key.endswith(("bn.weight", "running_var")):
            return 0.5 + values.abs()
        return 0.2 * values

    return {key: drawn(key, shape) for key, shape in shapes.items()}
