"""Any image size through networks that halve it several times.

What `torch.export` traces must not ask how much is missing, or the exported network would take no other sizes: there
rows and columns are gathered by their numbers instead, to the same effect.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def padded(images: Float[Tensor, "b c h w"], multiple: int) -> Float[Tensor, "b c h2 w2"]:
    """Returns the images made larger, below and on the right, to whole multiples by repeating their border.

    Repeating, unlike reflecting, also works where more is missing than there is: on a single pixel.

    Args:
        images: Values, (B, C, H, W).
        multiple: What the new height and width are multiples of.

    Example:
        >>> import torch
        >>> padded(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 2)
        tensor([[[[1., 2., 3., 3.],
                  [1., 2., 3., 3.]]]])
    """
    height, width = images.shape[-2:]
    if _exporting():
        return _repeated(images, multiple)
    missing = (-height % multiple, -width % multiple)
    return F.pad(images, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else images


def cropped(images: Float[Tensor, "b c h w"], height: int, width: int) -> Float[Tensor, "b c h2 w2"]:
    """Returns the top left of the images, which `padded` made larger.

    Args:
        images: Values, (B, C, H, W).
        height: Rows to keep, at most H.
        width: Columns to keep, at most W.
    """
    if not _exporting():
        return images[..., :height, :width]
    for dim, side in ((-2, height), (-1, width)):
        images = images.index_select(dim, torch.arange(side, device=images.device))
    return images


def _repeated(images: Float[Tensor, "b c h w"], multiple: int) -> Float[Tensor, "b c h2 w2"]:
    for dim in (-2, -1):
        side = images.shape[dim]
        whole = torch.arange((side + multiple - 1) // multiple * multiple, device=images.device)
        images = images.index_select(dim, whole.clamp(max=side - 1))
    return images


def _exporting() -> bool:
    """Returns whether `torch.export` traces; torch 2.6, which cannot tell it apart, also where it compiles."""
    return bool(getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)())
