"""One picture restored in a program: an image of Pillow's, an array or a tensor comes back as what it was."""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pdloss.errors import ImageError
from pdloss.models.shelf import place_of
from pdloss.picture_files.originals import Original, original
from pdloss.picture_files.writing import pillow_image
from pdloss.restoration.engine import Precision
from pdloss.restoration.restorer import Restorer
from pdloss.specs.trust import RECEIVED, Trust

P = TypeVar("P", PIL.Image.Image, NDArray[Any], Tensor)


def restore(
    picture: P,
    model: str | Path | nn.Module,
    *,
    device: str = "auto",
    tile: int | None = None,
    precision: Precision = "auto",
    trusted: Trust = RECEIVED,
) -> P:
    """Returns a picture restored, as what it was given as: depth, alpha, gray, colours' profile.

    Args:
        picture: An image of Pillow's; an array (h, w), (h, w, 3) or (h, w, 4) of 8-bit or 16-bit values, or of
            floating-point ones in [0, 1]; or a tensor (3, H, W) or (B, 3, H, W) in [0, 1].
        model: Any name that `pdloss.models.load` takes, such as a model that ships, a run folder, a file of weights or
            ``owner/name`` on the Hugging Face Hub; or the network itself.
        device: As in training.
        tile: Side of the tiles in pixels; None for what the free memory allows.
        precision: Number format of the network; auto: bfloat16 where the device is faster with it, if a first tile is
            within a level of float32; float32 for more than 8 bits.
        trusted: Which modules the model's text may name.

    Raises:
        ImageError: If the picture is of another shape or kind.
        RunError: If the model cannot be used.
        SpecError: If the model was trained for another kind of picture.

    Example:
        >>> from pdloss.networks import network
        >>> picture = np.zeros((5, 3, 3), np.uint8)
        >>> restore(picture, network("edsr(scale=4, blocks=1, width=4)"), device="cpu").shape
        (20, 12, 3)
    """
    restorer = Restorer(
        model if isinstance(model, nn.Module) else place_of(model), device, tile, precision=precision, trusted=trusted
    )
    if isinstance(picture, Tensor):
        return _of_tensor(picture, restorer)
    if isinstance(picture, PIL.Image.Image):
        try:
            held, _ = original(picture)
        except ValueError as error:
            raise ImageError(f"the image cannot be restored: {error}") from None
        return pillow_image(restorer(held, "the image").picture)
    return _of_array(np.asarray(picture), restorer)


def _of_array(values: NDArray[Any], restorer: Restorer) -> NDArray[Any]:
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageError(f"expected an array (h, w), (h, w, 3) or (h, w, 4), got {values.shape}")
    if np.issubdtype(values.dtype, np.floating):
        if not (values.size and np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise ImageError("floating-point values must be in [0, 1]; divide 8-bit ones by 255")
        deep = np.floor(values * 65535 + 0.5).astype(np.uint16)
        return (_of_array(deep, restorer) / 65535).astype(values.dtype)
    if values.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"expected values of type uint8, uint16 or floating-point ones, got {values.dtype}")
    alpha = values[..., 3] if values.ndim == 3 and values.shape[2] == 4 else None
    made = restorer(Original(values if alpha is None else values[..., :3], alpha), "the array").picture
    return made.values if made.alpha is None else np.concatenate([made.values, made.alpha[..., None]], axis=-1)


def _of_tensor(images: Tensor, restorer: Restorer) -> Tensor:
    """Returns tensors restored without rounding, clipped to [0, 1]."""
    if images.ndim == 4:
        return torch.stack([_of_tensor(image, restorer) for image in images])
    if images.ndim != 3 or len(images) != restorer.engine.channels or not images.is_floating_point():
        raise ImageError(
            f"expected floating-point values in [0, 1] of shape ({restorer.engine.channels}, H, W), or a batch of "
            f"such, got {images.dtype} of shape {tuple(images.shape)}"
        )
    scale = restorer.engine.reach.scale
    height, width = images.shape[-2:]
    made = images.new_empty(3, height * scale, width * scale, device="cpu")

    def keep(begin: int, rows: Tensor) -> None:
        made[:, begin : begin + rows.shape[1]] = rows.clamp(0, 1).to(made.dtype)

    there = images.detach().float().cpu()
    restorer.engine.restore(height, width, lambda rows, columns: there[:, rows, columns], keep, exact=True)
    return made.to(images.device)
