"""The frequency distribution loss in double precision, by NumPy alone: filter by filter, from the formula."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def responses(spectrum: Array, kernel: Array) -> Array:
    """The sorted sums of a (C, H, W) spectrum times a (C, k, k) kernel, at every place where the kernel fits."""
    k = kernel.shape[-1]
    places = [
        (spectrum[:, y : y + k, x : x + k] * kernel).sum()
        for y in range(spectrum.shape[1] - k + 1)
        for x in range(spectrum.shape[2] - k + 1)
    ]
    return np.sort(places)


def fdl(restored: Array, target: Array, kernels: Array, phase_weight: float) -> float:
    """The distance of two (C, H, W) feature maps, with filters (M, C, k, k) of any length."""
    spectra = [np.fft.fft2(maps) for maps in (restored, target)]
    total = 0.0
    for part, weight in ((np.abs, 1.0), (np.angle, phase_weight)):
        costs = []
        for kernel in kernels:
            unit = kernel / np.sqrt((kernel**2).sum())
            one, other = (responses(part(spectrum), unit) for spectrum in spectra)
            costs.append(np.abs(one - other).mean())
        total += weight * float(np.mean(costs))
    return total
