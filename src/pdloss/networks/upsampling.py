"""How a network's last layers get to the image's own size: with a shuffle of pixels, or so that none leaves a mesh."""

from typing import Literal

import torch
from torch import nn

from pdloss.ops.options import check_option

Upsampling = Literal["shuffle", "icnr", "resize"]


def enlarged(before: int, after: int, factor: int, how: Upsampling = "shuffle") -> list[nn.Module]:
    """Returns layers from `before` channels to `after` channels at `factor` times the side.

    Args:
        before: Channels that come in.
        after: Channels that go out.
        factor: Of the side.
        how: ``shuffle``, a convolution to factor² times the channels, which are then laid out as pixels (Shi et al.
            2016, https://arxiv.org/abs/1609.05158); ``icnr``, the same, beginning with equal weights for the pixels of
            a block, so that the first images have no mesh (Aitken et al. 2017, https://arxiv.org/abs/1707.02937);
            ``resize``, a bilinear enlargement and then a convolution (Odena et al. 2016,
            https://distill.pub/2016/deconv-checkerboard/), which leaves even surfaces even, and edges without steps.

    Raises:
        ValueError: If `how` is none of these.
    """
    check_option(Upsampling, how=how)
    if how == "resize":
        return [nn.Upsample(scale_factor=factor, mode="bilinear"), nn.Conv2d(before, after, 3, padding=1)]
    convolution = nn.Conv2d(before, after * factor**2, 3, padding=1)
    if how == "icnr":
        _equal_within_blocks(convolution, factor)
    return [convolution, nn.PixelShuffle(factor)]


@torch.no_grad()
def _equal_within_blocks(convolution: nn.Conv2d, factor: int) -> None:
    for values in convolution.parameters():  # the shuffle makes one block of each factor² channels in a row
        values.copy_(values[:: factor**2].repeat_interleave(factor**2, dim=0))
