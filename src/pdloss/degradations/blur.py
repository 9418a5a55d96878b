"""Motion blur: the shake of a hand-held camera, or a kernel that is given."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor

from pdloss.degradations.choice import DegradationChoice, number, plain
from pdloss.degradations.shake import Motion, camera_shake_kernel
from pdloss.errors import ImageError
from pdloss.images import read_image
from pdloss.limits import check_arrays
from pdloss.ops.convolution import convolve, convolve_adjoint
from pdloss.specs import Range

_PAPERS_SUPPORT = Range(2.0, 16.0)
"""Paths of 1 to 15 pixels from end to end, each end taking up half a pixel more."""


@dataclass(frozen=True)
class CameraShake(DegradationChoice, name="blur"):
    """Convolves the image with a motion-blur kernel, drawn anew for each image, or given; the border is mirrored.

    Each image's kernel is of `support` pixels at most and belongs to a `seed` of its own; both are in the text of what
    was `drawn`, so that text alone makes the kernel again. The default gives inputs as good as the paper's; a support
    of 2 or less blurs nothing. No noise is added: ``blur | noise(sigma=0..5/255)``.

    See `pdloss.degradations.camera_shake_kernel` for the kinds of motion.

    Args:
        support: Rows and columns that the kernel may use, or a range.
        motion: ``tremor``, ``boracchi_foi`` or ``gp``.
        kernel: Instead of a random one: an image file, or an NPZ file of which one array is drawn for each image, or
            ``file.npz:name`` for that one. It is divided by its sum, and not centred.
        seed: Chooses the kernel, or the array of the file; by default drawn for each image.

    Example:
        >>> shake = CameraShake(support=9, seed=3)
        >>> shake.kernel_tensor().shape[0] <= 2 * 9 - 1
        True
        >>> shake(torch.full((3, 16, 16), 0.5), torch.Generator()).sub(0.5).abs().max() < 1e-6
        tensor(True)
    """

    support: Annotated[float, Meta(ge=1, le=255)] | Range = _PAPERS_SUPPORT
    motion: Motion = "tremor"
    kernel: str | None = None
    file_options: ClassVar[tuple[str, ...]] = ("kernel",)
    seed: Annotated[int, Meta(ge=0, le=2**62)] | None = None

    def drawn(self, generator: torch.Generator) -> "CameraShake":
        """Returns the choice with a number for its support, and a seed: the text of one kernel."""
        support = number(self.support, generator)
        if self.seed is not None:
            return replace(self, support=support)
        # 31 bits: torch's generators keep 32 of a seed.
        seed = int(torch.randint(2**31, (), generator=generator, device=generator.device))
        return replace(self, support=support, seed=seed)

    def kernel_tensor(self) -> Float[Tensor, "k l"]:
        """Returns the kernel of what was drawn, float64.

        Raises:
            ValueError: If it has not been drawn.
            ImageError: If the file cannot be read, or holds no kernel.
        """
        if self.seed is None:
            raise ValueError(f"{self} has no kernel yet: call drawn(generator) first")
        stream = torch.Generator().manual_seed(self.seed)
        if self.kernel is None:
            return camera_shake_kernel(self.motion, plain(self.support), stream)
        kernels = _given(self.kernel)
        return list(kernels.values())[int(torch.randint(len(kernels), (), generator=stream))]

    def degraded(self, clean: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
        """Returns the blurred image, which stays within the values that the clean one has.

        Raises:
            ImageError: If the kernel's file cannot be read, or holds no kernel, or a kernel larger than the image.
        """
        kernel = self.kernel_tensor()
        _check_size(self, kernel, clean)
        # The kernel's weights make a mean; only the rounding of a Fourier transform leaves its range.
        return convolve(clean, kernel).to(clean.dtype).clamp(clean.min(), clean.max())

    def adjoint(self, degraded: Float[Tensor, "c h w"], like: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """Returns the image put through the transpose of the blur that was drawn.

        Args:
            degraded: An image as the blur gives it.
            like: An image as the blur takes it; blurring keeps the size.
        """
        return convolve_adjoint(degraded, self.kernel_tensor())


def check_kernel(kernel: Float[Tensor, "k l"], where: str) -> Float[Tensor, "k l"]:
    """Returns a given kernel divided by its sum.

    Args:
        kernel: The weights.
        where: What to call it in an error.

    Raises:
        ImageError: If a side is even, or a weight negative or not finite, or all are zero.
    """
    height, width = kernel.shape
    if height % 2 == 0 or width % 2 == 0:
        raise ImageError(
            f"the kernel {where} is {height}x{width} (height x width) and has no middle: add a row or column of zeros "
            f"to make it {height // 2 * 2 + 1}x{width // 2 * 2 + 1}"
        )
    if not bool(kernel.isfinite().all()):
        raise ImageError(f"the kernel {where} holds values that are NaN or infinite")
    if (least := kernel.min().item()) < 0:
        raise ImageError(f"the kernel {where} holds negative values, down to {least:g}: light adds up; set them to 0")
    if not (total := kernel.sum().item()) > 0:
        raise ImageError(f"the kernel {where} is zero everywhere: nothing of the image would be left")
    return kernel / total


def _check_size(shake: CameraShake, kernel: Tensor, image: Tensor) -> None:
    """Refuses a kernel of which more is not zero than the image has rows or columns: it would see mirrors only."""
    rows, columns = (int(places.max() - places.min()) + 1 for places in kernel.nonzero().unbind(1))
    height, width = image.shape[-2:]
    if rows > height or columns > width:
        raise ImageError(
            f"an image of {height}x{width} (height x width) is smaller than the kernel of {rows}x{columns} of {shake}: "
            "take larger images or crops, or a smaller kernel"
        )


def _given(text: str) -> Mapping[str, Tensor]:
    """Returns the kernels that ``file.png``, ``file.npz`` or ``file.npz:name`` names."""
    file, _, name = text.rpartition(":") if ".npz:" in text.lower() else (text, "", "")
    path = Path(file)
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(f"cannot read the kernel {path}: {error.strerror}") from None
    kernels = _read(path, status.st_mtime_ns, status.st_size)
    if name and name not in kernels:
        raise ImageError(f"{path} holds no kernel {name!r}; it holds {', '.join(kernels)}")
    return {name: kernels[name]} if name else kernels


@lru_cache(maxsize=32)
def _read(path: Path, changed: int, size: int) -> Mapping[str, Tensor]:
    """Returns the kernels of a file, read once for as long as it stays unchanged."""
    if path.suffix.lower() != ".npz":
        values = read_image(path).double()
        if not (torch.equal(values[0], values[1]) and torch.equal(values[0], values[2])):
            raise ImageError(f"the kernel {path} is coloured: save it as a grey image")
        return {path.name: check_kernel(values[0], str(path))}
    try:
        with path.open("rb") as file:
            check_arrays(file)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: np.asarray(archive[name], dtype=np.float64) for name in archive.files}
    except Exception as error:  # NumPy and zipfile meet damage with half a dozen kinds of exception
        raise ImageError(f"cannot read the kernels in {path}: {error or type(error).__name__}") from None
    if not arrays:
        raise ImageError(f"{path} holds no kernels")
    for name, array in arrays.items():
        if array.ndim != 2 or not array.size:
            raise ImageError(f"the kernel {path}:{name} has shape {array.shape}; it needs rows and columns")
    return {name: check_kernel(torch.from_numpy(array), f"{path}:{name}") for name, array in arrays.items()}
