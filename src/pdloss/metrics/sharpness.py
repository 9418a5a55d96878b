"""How much of the target's fine structure is there, in amount and not in place."""

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import check_pair
from pdloss.metrics.psnr import inside


def sharpness(restored: Tensor, target: Tensor, border: int = 0) -> Float[Tensor, " b"]:
    r"""Returns the ratio of each restored image's gradient energy to its target's: 1 is as sharp as the target.

    .. math:: \frac{\sum |\nabla x|^2}{\sum |\nabla y|^2}

    with the differences of neighbouring pixels along both axes, over the three channels together. Blur gives less
    than 1, ringing and noise more: a noisy image is not sharper, so read it beside a metric that sees where the
    structure is. Squares weigh strong edges most.

    Equal images give 1, constant ones of any level too; any structure where the target has none gives infinity.

    Args:
        restored: RGB in [0, 1], :math:`(B, 3, H, W)`.
        target: RGB in [0, 1], :math:`(B, 3, H, W)`.
        border: Pixels left out on every side.

    Returns:
        One value per image from 0 to infinity, :math:`(B)`.

    Raises:
        ValueError: If the shapes differ or are not RGB batches, or the border is negative or leaves no pixel.

    Example:
        >>> steps = torch.arange(8.0).expand(1, 3, 8, 8) / 8
        >>> sharpness(steps / 2, steps)
        tensor([0.2500])
    """
    check_pair(restored, target)
    ours, theirs = _gradient_energy(inside(restored, border)), _gradient_energy(inside(target, border))
    return torch.where(ours == theirs, 1, ours / theirs)


def _gradient_energy(images: Tensor) -> Tensor:
    down, right = images.diff(dim=2), images.diff(dim=3)
    return down.square().sum(dim=(1, 2, 3)) + right.square().sum(dim=(1, 2, 3))
