"""Fewer pixels: the input of super-resolution, made as its published test sets are."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss.errors import ImageError
from pdloss.images import to_bytes
from pdloss.ops.resize import resize, resize_bytes
from pdloss.specs import Choice


@dataclass(frozen=True)
class Downscale(Choice, name="downscale"):
    r"""Shrinks an image by a whole factor, as MATLAB's ``imresize``, on which super-resolution is trained and compared.

    With `round` the clean image is put on the 256 levels of its 8-bit file, and the result too: bicubic results are,
    pixel for pixel, those of the published sets. For factors 2 to 4, values are also clipped and rounded between the
    vertical pass and the horizontal one, as MATLAB does with 8-bit images; for 8 only at the end, as in the published
    files. Without `round` nothing is rounded, and results are clipped to [0, 1] once.

    See :func:`pdloss.ops.resize.resize` for the kernels; ``area`` takes the mean of blocks.

    Args:
        factor: How many times smaller each side gets.
        kernel: ``bicubic``, ``lanczos3``, ``bilinear`` or ``area``.
        round: Whether the result is what an 8-bit file holds.

    Example:
        >>> clean = torch.eye(4).expand(3, 4, 4)
        >>> Downscale(factor=2, kernel="area")(clean, torch.Generator())[0] * 255
        tensor([[128.,   0.],
                [  0., 128.]])
    """

    factor: Literal[2, 3, 4, 8] = 4
    kernel: Literal["bicubic", "lanczos3", "bilinear", "area"] = "bicubic"
    round: bool = True

    def __call__(self, clean: Float[Tensor, "3 h w"], generator: torch.Generator) -> Float[Tensor, "3 h2 w2"]:
        """Returns the image made smaller; nothing is drawn from the generator.

        Raises:
            ImageError: If the factor does not divide both sides, or a side is smaller than the factor.
        """
        height, width = clean.shape[1], clean.shape[2]
        size = (height // self.factor, width // self.factor)
        if 0 in size:
            raise ImageError(
                f"an image of {height}x{width} (height x width) is too small for {self}: "
                f"each side needs at least {self.factor} pixels"
            )
        if height % self.factor or width % self.factor:
            raise ImageError(
                f"an image of {height}x{width} (height x width) cannot be made {self.factor} times smaller by {self}: "
                f"crop it to {size[0] * self.factor}x{size[1] * self.factor} first"
            )
        if not self.round:
            return resize(clean, size, self.kernel).clamp(0, 1).to(clean.dtype)
        levels = resize_bytes(to_bytes(clean), size, self.kernel, round_between=self.factor <= 4)
        return levels.to(clean.dtype) / 255
