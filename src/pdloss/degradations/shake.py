"""Kernels of camera shake: the path of a point of light on the sensor while the shutter is open.

A path comes from one of three models, is scaled to the support wanted, centred at its centroid and drawn onto pixels.
"""

import cmath
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss.ops.options import check_option

Motion = Literal["tremor", "boracchi_foi", "gp"]

Path = Float[Tensor, "2 n"]
"""Vertical and horizontal places at equal steps of time."""

_SAMPLES = 1024
"""Points of light that a path is drawn with."""

_EXPOSURE = (1 / 30, 1.0)
_DRIFT_CORNER = 0.5
_TREMOR_CENTRE, _TREMOR_WIDTH = 10.0, 1.0
_TREMOR_POWER = 4.0
_PERIOD, _HIGHEST = 4.0, 30.0


def camera_shake_kernel(kind: Motion, support: float, generator: torch.Generator) -> Float[Tensor, "k k"]:
    """Returns a random motion-blur kernel: non-negative, of sum 1, its centroid in the middle of an odd square.

    The path is scaled so that its larger extent is `support` - 1 pixels, centre to centre, or as much less as keeps
    what is not zero within `support` rows and columns (a fraction counts as a whole one): with two pixels or fewer, a
    path centred on a pixel has no room, and the kernel is that pixel. Each moment counts the same, shared out among
    the four nearest pixels so that the centroid stays exactly where it is.

    The kinds of motion:

    ``tremor``: a resting hand. Both coordinates are Gaussian processes whose power spectrum is a drift,
    :math:`1 / (f^2 + f_0^2)` with :math:`f_0` = 0.5 Hz, and a tremor band around 10 Hz (standard deviation 1 Hz), at
    its peak four times the drift; frequencies reach to 30 Hz. The exposure is log-uniform from 1/30 s to 1 s, so that
    some paths are nearly straight and others wander. The spectrum's shape is physiology's, all constants are ours.

    ``boracchi_foi``: a particle with inertia, pulled back and pushed at random, with rare reversals, of which an
    exposure of 1/100, 1/10, 1/2 or the whole is seen; constants as in the generator of DeblurGAN, which however
    stretches its kernels to [0, 1] instead of dividing by the sum.

    ``gp``: both coordinates are Gaussian processes with the Matérn covariance of order 5/2 and length 0.3 of the
    exposure: smooth curves.

    Args:
        kind: The model of motion.
        support: Rows and columns that the kernel may use, at least 1.
        generator: Chooses the path.

    Returns:
        The kernel, float64, as small as it can be; rows are vertical.

    Raises:
        ValueError: If the kind is unknown, or the support is below 1.

    Example:
        >>> camera_shake_kernel("tremor", 1, torch.Generator())
        tensor([[1.]], dtype=torch.float64)

    References:
        | Burst Deblurring: Removing Camera Shake Through Fourier Burst Accumulation (Delbracio and Sapiro, 2015)
        | https://arxiv.org/abs/1505.02731
        | Modeling the Performance of Image Restoration from Motion Blur (Boracchi and Foi, 2012)
        | https://doi.org/10.1109/TIP.2012.2192126
        | Learning to Deblur (Schuler et al., 2016)
        | https://arxiv.org/abs/1406.7444
    """
    check_option(Motion, kind=kind)
    if not support >= 1:
        raise ValueError(f"the support of a kernel is at least 1 pixel, got {support}")
    return kernel_of_path(_PATHS[kind](generator), support)


def kernel_of_path(path: Path, support: float) -> Float[Tensor, "k k"]:
    """Returns the kernel of a path, scaled, centred and drawn as `camera_shake_kernel` says.

    Example:
        >>> kernel_of_path(torch.tensor([[0.0, 0.0], [0.0, 1.0]], dtype=torch.float64), 3).sum(0)
        tensor([0.2500, 0.5000, 0.2500], dtype=torch.float64)
    """
    fine = F.interpolate(path[None].double(), size=2 * _SAMPLES + 1, mode="linear", align_corners=True)[0]
    fine = fine - fine[:, 1::2].mean(dim=1, keepdim=True)
    path = _scale(fine, support) * fine[:, 1::2]  # the middles of equal stretches of time
    reach = math.ceil(path.abs().max().item())
    kernel = torch.zeros(2 * reach + 3, 2 * reach + 3, dtype=torch.float64)
    corner = path.floor()
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        offset = torch.tensor([[row], [column]])
        weights = (1 - (path - corner - offset).abs()).prod(dim=0)
        rows, columns = (corner + offset).long() + reach + 1
        kernel.index_put_((rows, columns), weights, accumulate=True)
    return _trimmed(kernel / _SAMPLES)


def _scale(path: Tensor, support: float) -> float:
    """Returns what to multiply a centred path with."""
    low, high = -path.amin(dim=1), path.amax(dim=1)
    room = math.ceil(support) - 1
    scales = [(support - 1) / max((low + high).max().item(), 1e-12)]
    for before, after in zip(low.tolist(), high.tolist(), strict=True):
        # Of the steps from pixel to pixel that there is room for, some lie before the centroid and the rest behind it.
        scales.append(max(min(n / max(before, 1e-12), (room - n) / max(after, 1e-12)) for n in range(room + 1)))
    # A hair less, lest rounding push an end over the edge of its pixel.
    return (1 - 1e-9) * min(scales)


def _trimmed(kernel: Tensor) -> Tensor:
    """Returns the smallest square around the middle that holds all weights, which sum to 1."""
    kernel = torch.where(kernel > 1e-9, kernel, 0)
    middle = kernel.shape[0] // 2
    radius = int((kernel.nonzero() - middle).abs().max())
    kernel = kernel[middle - radius : middle + radius + 1, middle - radius : middle + radius + 1]
    return kernel / kernel.sum()


def _tremor(generator: torch.Generator) -> Tensor:
    low, high = _EXPOSURE
    exposure = low * (high / low) ** torch.rand((), generator=generator, dtype=torch.float64).item()
    # A sum of waves whose period is four times the longest exposure, so that what is seen does not repeat.
    frequencies = torch.arange(1, round(_PERIOD * _HIGHEST) + 1, dtype=torch.float64) / _PERIOD
    drift = 1 / (frequencies.square() + _DRIFT_CORNER**2)
    bump = torch.exp(-0.5 * ((frequencies - _TREMOR_CENTRE) / _TREMOR_WIDTH).square())
    power = drift + _TREMOR_POWER / (_TREMOR_CENTRE**2 + _DRIFT_CORNER**2) * bump
    amplitudes: Tensor = power.sqrt() * torch.randn(4, len(frequencies), generator=generator, dtype=torch.float64)
    phases = 2 * math.pi * frequencies[:, None] * torch.linspace(0, exposure, 256, dtype=torch.float64)
    return amplitudes[:2] @ phases.cos() + amplitudes[2:] @ phases.sin()  # (2, 256)


def _boracchi_foi(generator: torch.Generator, steps: int = 2000, length: float = 60.0) -> Tensor:
    chances = torch.rand(6, generator=generator, dtype=torch.float64).tolist()
    explosive = 0.1 * chances[0]
    centripetal, big_shake, gaussian = 0.7 * chances[1], 0.2 * chances[2], 10 * chances[3]
    step = length / (steps - 1)
    velocity = cmath.rect(step, 2 * math.pi * chances[4])
    jerks = torch.rand(2, steps, generator=generator, dtype=torch.float64).tolist()
    pushes = torch.randn(2, steps, generator=generator, dtype=torch.float64).tolist()
    place, path = 0j, [0j]
    for chance, turn, east, north in zip(*jerks, *pushes, strict=True):
        jerk = 2 * velocity * cmath.exp(1j * (math.pi + turn - 0.5)) if chance < big_shake * explosive else 0
        velocity += jerk + explosive * (gaussian * complex(east, north) - centripetal * place) * step
        velocity *= step / abs(velocity)
        place += velocity
        path.append(place)
    seen = path[: 1 + round(steps * (1 / 100, 1 / 10, 1 / 2, 1)[min(3, int(4 * chances[5]))])]
    return torch.tensor([[point.imag for point in seen], [point.real for point in seen]], dtype=torch.float64)


def _gp(generator: torch.Generator) -> Tensor:
    path: Tensor = torch.randn(2, 256, generator=generator, dtype=torch.float64) @ _matern_root().T
    return path


@lru_cache(maxsize=1)
def _matern_root(points: int = 256, length: float = 0.3) -> Tensor:
    """Returns the Cholesky factor of the Matérn 5/2 covariance at equally spaced times."""
    times = torch.linspace(0, 1, points, dtype=torch.float64)
    distance = math.sqrt(5) * (times[:, None] - times).abs() / length
    covariance = (1 + distance + distance.square() / 3) * torch.exp(-distance)
    root: Tensor = torch.linalg.cholesky(covariance + 1e-9 * torch.eye(points, dtype=torch.float64))
    return root


_PATHS: dict[str, Callable[[torch.Generator], Tensor]] = {
    "tremor": _tremor,
    "boracchi_foi": _boracchi_foi,
    "gp": _gp,
}
