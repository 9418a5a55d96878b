"""JPEG compression by the real codec."""

import io
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import PIL
import PIL.features
import PIL.Image
import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss.degradations.choice import DegradationChoice, number, plain
from pdloss.errors import ImageError
from pdloss.images import to_bytes
from pdloss.specs import Range

_LARGEST = 65_500
"""libjpeg's largest side, in pixels."""


@dataclass(frozen=True)
class JPEG(DegradationChoice, name="jpeg"):
    """Compresses the image in memory with Pillow's encoder and decodes it again, 8-bit values before and after.

    The defaults are those read from the paper's input scores. Values outside [0, 1] are cut off, as in any file. What
    the decoder gives depends on its version by a grey level here and there: `codec` names it for a record.

    See `pdloss.ops.jpeg.jpeg` for the same in differentiable form.

    Args:
        quality: Of libjpeg's scale, 1 to 100, or a range such as ``10..95``.
        subsampling: ``4:2:0``, colour at half the resolution, or ``4:4:4``; or ``either``, drawn for each image.
        chance: Share of the images that are compressed, drawn for each; the others stay as they are, to the bit.

    Example:
        >>> grey = torch.full((3, 8, 8), 128 / 255)
        >>> JPEG()(grey, torch.Generator()).equal(grey)
        True
    """

    quality: Annotated[int, Meta(ge=1, le=100)] | Range = 20
    subsampling: Literal["4:2:0", "4:4:4", "either"] = "4:2:0"
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0
    later_options: ClassVar[tuple[str, ...]] = ("chance",)

    def drawn(self, generator: torch.Generator) -> "JPEG":
        """Returns the choice with a number for its quality, one of both subsamplings, and a chance of 0 or 1."""
        chosen = replace(self, quality=int(number(self.quality, generator)))
        if self.subsampling == "either":
            chosen = replace(chosen, subsampling="4:2:0" if number(Range(0, 1), generator) == 0 else "4:4:4")
        if 0 < self.chance < 1:
            chosen = replace(chosen, chance=float(number(Range(0.0, 1.0), generator) < self.chance))
        return chosen

    def degraded(self, clean: Float[Tensor, "3 h w"], generator: torch.Generator) -> Float[Tensor, "3 h w"]:
        """Returns the image that the file gives back; nothing is drawn from the generator.

        Raises:
            ImageError: If a side has no pixels, or more than JPEG can hold.
            ValueError: If the subsampling or the chance has not been drawn.
        """
        if self.subsampling == "either" or 0 < self.chance < 1:
            raise ValueError(f"{self} is not decided yet: call drawn(generator) first")
        if self.chance == 0:
            return clean
        height, width = clean.shape[1:]
        if not (1 <= height <= _LARGEST and 1 <= width <= _LARGEST):
            raise ImageError(f"an image of {height}x{width} is no JPEG: sides have 1 to {_LARGEST} pixels")
        rows = to_bytes(clean).permute(1, 2, 0).contiguous().cpu().numpy()
        file = io.BytesIO()
        PIL.Image.fromarray(rows).save(file, "JPEG", quality=int(plain(self.quality)), subsampling=self.subsampling)
        with PIL.Image.open(file) as picture:
            decoded = torch.from_numpy(np.array(picture))
        return (decoded.permute(2, 0, 1).contiguous().to(clean.dtype) / 255).to(clean.device)


def codec() -> str:
    """Returns the encoder and decoder with their versions, such as ``"Pillow 12.0.0, libjpeg-turbo 3.1.2"``.

    Example:
        >>> codec().startswith("Pillow ")
        True
    """
    turbo = PIL.features.version_feature("libjpeg_turbo")
    library = f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {PIL.features.version_codec('jpg')}"
    return f"Pillow {PIL.__version__}, {library}"
