"""What every loss asks of the images it is given, and the look it takes at the first of them."""

import math
import warnings

import torch
from torch import Tensor

from pdloss._types import check_pair
from pdloss.errors import RangeWarning

TARGET_TOLERANCE = 1 / 255
"""How far targets may leave [0, 1]: by one level of an 8-bit file. They are photographs, read and not computed."""

RESTORED_TOLERANCE = 0.5
"""How far restored images may: networks overshoot by some tenths, images in [-1, 1] by a whole unit."""


class CheckedPair:
    """Refuses images that cannot be compared, every time, and warns of another range than [0, 1], once.

    The range is looked at in the first batch only, since that makes a GPU wait; and not while a graph is captured,
    where nothing has a value. A loss and its copies keep whether they have looked.
    """

    def __init__(self) -> None:
        self.looked = False

    def __call__(self, restored: Tensor, target: Tensor) -> None:
        """Checks a batch.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape, or hold no pixels.
        """
        check_pair(restored, target)
        if 0 in restored.shape:
            raise ValueError(f"a batch of shape {tuple(restored.shape)} holds no pixels to compare; leave it out")
        if not self.looked and not _is_captured(restored):
            self.looked = True
            if problem := range_problem(restored, target):
                warnings.warn(problem, RangeWarning, stacklevel=5)  # where the module is called


def check_side(images: Tensor, least: int, what: str, cure: str) -> None:
    """Refuses images that are too small, naming what needs more and the way out.

    Raises:
        ValueError: If a side is shorter than the least.
    """
    height, width = images.shape[-2:]
    if min(height, width) < least:
        raise ValueError(
            f"images of {height}x{width} are too small for {what}, which needs at least {least} pixels a side; {cure}"
        )


def range_problem(restored: Tensor, target: Tensor) -> str:
    """Returns what is wrong with the range of the images, and the cure; nothing for images in [0, 1].

    Restored images with a graph come from a network in training, whose first ones may be anything (a freshly drawn SRN
    reaches thousands): then only the targets are judged.

    Example:
        >>> images = torch.tensor([0.0, 255.0])
        >>> range_problem(images, images)
        'target images run from 0 to 255, but losses take RGB in [0, 1]; divide them by 255, and the restored ones'
    """
    try:
        with torch.no_grad():
            extremes = torch.stack([end.float().cpu() for x in (target, restored) for end in x.detach().aminmax()])
        target_low, target_high, low, high = extremes.tolist()
    except RuntimeError:  # tensors that only stand for others have no values to look at
        return ""
    for what, ends, tolerance, others in (
        ("target", (target_low, target_high), TARGET_TOLERANCE, "the restored ones"),
        ("restored", (low, high), math.inf if restored.requires_grad else RESTORED_TOLERANCE, "the targets if alike"),
    ):
        if ends[0] < -tolerance or ends[1] > 1 + tolerance:
            ran = f"{what} images run from {ends[0]:.4g} to {ends[1]:.4g}, but losses take RGB in [0, 1]"
            return f"{ran}; {_cure(*ends)}, and {others}"
    return ""


def _cure(low: float, high: float) -> str:
    if high > 10:  # no normalisation in use goes so far
        return "divide them by 255" if high <= 256 else "divide them by their largest possible value"
    if low < -1.01 or high > 2:
        return "undo their normalisation by a mean and a deviation"
    if low < -0.5:
        return "map them from [-1, 1] by (x + 1) / 2"
    return "clamp them"


def _is_captured(images: Tensor) -> bool:
    return torch.compiler.is_compiling() or (images.is_cuda and torch.cuda.is_current_stream_capturing())
