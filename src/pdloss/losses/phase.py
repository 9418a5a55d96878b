"""The phase loss: no place on a lattice of a few pixels may look different from the others, or a mesh is seen."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss._types import Images
from pdloss.losses.checks import check_side
from pdloss.losses.choice import LossChoice
from pdloss.losses.image_loss import ImageLoss
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.filters import filter_valid, gaussian_taps

__all__ = ["Phase", "PhaseLoss", "phase_loss"]


def phase_loss(restored: Images, target: Images, *, factor: int = 4) -> Float[Tensor, " b"]:
    r"""Returns how much more the phases of a lattice differ in each restored image than in its target.

    .. math:: \sum_{q \in \{m, a, v, w\}} \frac{1}{3} \sum_c \max\left(0,\, s(q_c(\hat x)) - s(q_c(x))\right), \quad
              s(q) = \frac{1}{f^2} \sum_{i,j=0}^{f-1} |q_{ij} - \bar q|

    where :math:`h = x - g * x` is the image without its Gaussian blur of :math:`f/2` pixels' deviation, taken where
    the whole window of :math:`2f + 1` pixels fits; :math:`m_{ij}` and :math:`a_{ij}` are the means of :math:`h` and of
    :math:`|h|` over the pixels of phase (i, j), those in rows :math:`i + kf` and columns :math:`j + lf`;
    :math:`v_{ij}` and :math:`w_{ij}` those of the absolute differences to the pixel below and to the one at the right;
    and :math:`\bar q` is the mean over the phases. What a last shuffle of factor f leaves behind differs from phase to
    phase, and so do the lines between the pixels that a resize enlarged; texture does not, wherever it lies. Nothing is
    compared place by place, and an image whose phases differ less than its target's costs nothing. A mesh of amplitude
    A in pixel values costs a fraction of A.

    Computes in float32 at least.

    Args:
        restored: Restored images (B, 3, H, W) in [0, 1].
        target: What they should be, of the same shape.
        factor: f, the period of the lattice in pixels, at least 2: the scale of a network that shuffles pixels, or 4.

    Raises:
        ValueError: If the factor is below 2, or a side shorter than three periods.

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 24, 24), 0.5)
        >>> mesh = grey.clone()
        >>> mesh[..., ::4, ::4] += 0.16  # one phase of sixteen
        >>> bool(phase_loss(mesh, grey) > 0.02), phase_loss(grey, mesh)
        (True, tensor([0.]))
    """
    _check_factor(factor)
    cure = "train on larger crops, or with a smaller factor"
    check_side(restored, 3 * factor, f"phase(factor={factor})", cure)
    own, allowed = (_spreads(at_least_float32(images), factor) for images in (restored, target))
    return (own - allowed).relu().mean(1).sum(-1)


def _spreads(images: Images, factor: int) -> Float[Tensor, "b c 4"]:
    """Returns the mean absolute deviation over the phases of every mean: m, a, v and w."""
    blurred = filter_valid(images, gaussian_taps(2 * factor + 1, factor / 2))
    high = images[..., factor:-factor, factor:-factor] - blurred
    below, right = (images.diff(dim=dim) for dim in (-2, -1))
    phases = [_by_phase(values, factor) for values in (high, high.abs(), below.abs(), right.abs())]
    return torch.stack([(q - q.mean((-2, -1), keepdim=True)).abs().mean((-2, -1)) for q in phases], dim=-1)


def _by_phase(values: Float[Tensor, "b c h w"], factor: int) -> Float[Tensor, "b c f f"]:
    """Returns the mean over the pixels of each phase; every phase has as many, what is over is left out."""
    batch, channels, *sides = values.shape
    rows, columns = (side // factor for side in sides)
    whole = values[..., : rows * factor, : columns * factor]
    return whole.reshape(batch, channels, rows, factor, columns, factor).mean((2, 4))


class PhaseLoss(ImageLoss):
    """Measures a mesh, `phase_loss`, averaged over the batch; a small weight beside other terms takes it away.

    Computes in float32 even under autocast.

    Args:
        factor: The period of the lattice in pixels.

    Raises:
        ValueError: If `factor` is below 2.
    """

    def __init__(self, *, factor: int = 4) -> None:
        super().__init__()
        _check_factor(factor)
        self.factor = factor

    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""
        return phase_loss(restored, target, factor=self.factor)


@dataclass(frozen=True)
class Phase(LossChoice, name="phase", module=PhaseLoss):
    """How much the places on a lattice of `factor` pixels differ beyond the target's: meshes, and squares of pixels."""

    factor: Annotated[int, Meta(ge=2, le=64)] = 4


def _check_factor(factor: int) -> None:
    if factor < 2:
        raise ValueError(f"factor must be at least 2, got {factor}: it is the period of a lattice in pixels")
