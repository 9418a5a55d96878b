"""Whether an exported network gives what the original gives, at sizes of every kind."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss.errors import RunError
from pdloss.exporting.subject import Subject

SIZES = ((64, 64), (97, 131), (1, 1))
"""Height and width: usual, odd, and the smallest."""
BOUNDS = {"float32": 1e-4, "float16": 2e-2}
"""How far a value may be off, in units of [0, 1], or of the largest where an untrained network gives more: what another
order of sums rounds to, and half precision."""


def worst_difference(
    subject: Subject, exported: Callable[[Tensor], Tensor], precision: str = "float32", least: int = 1
) -> float:
    """Returns the worst difference between the exported network and the original, over noise of all `SIZES`.

    Args:
        subject: The original.
        exported: What stands for it, of images (1, 3, H, W).
        precision: ``float32`` or ``float16``.
        least: The least side that it takes; smaller images are made as large, by repeating their border.

    Raises:
        RunError: If it is more than rounding explains; the message names the size.
    """
    stream, worst = torch.Generator().manual_seed(0), 0.0
    for height, width in SIZES:
        images = torch.rand(1, 3, height, width, generator=stream)
        missing = (0, max(0, least - width), 0, max(0, least - height))
        images = F.pad(images, missing, mode="replicate") if any(missing) else images
        with torch.no_grad():
            expected, given = subject.network(images), _given(exported, images)
        if given.shape != expected.shape:
            shapes = f"{tuple(given.shape)} where the original has {tuple(expected.shape)}"
            raise RunError(f"the exported network gives {shapes}: it was not written")
        off = (given.float() - expected).abs().max().item() / max(1.0, expected.abs().max().item())
        if not off <= BOUNDS[precision]:
            size = f"{images.shape[-2]}x{images.shape[-1]}"
            raise RunError(
                f"the exported network is off by {off:.2g} at {size} pixels, more than the {BOUNDS[precision]:g} that "
                f"rounding to {precision} explains: it was not written"
            )
        worst = max(worst, off)
    return worst


def _given(exported: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    try:
        return exported(images)
    except (RuntimeError, AssertionError) as error:
        size, cause = f"{images.shape[-2]}x{images.shape[-1]}", str(error).strip().partition("\n")[0]
        raise RunError(f"the exported network does not take {size} pixels ({cause}): it was not written") from None
