"""Any image size through networks that halve it several times."""

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
    missing = (-height % multiple, -width % multiple)
    return F.pad(images, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else images
