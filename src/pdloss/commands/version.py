"""``pdloss --version``: what runs here, and where it looks for pretrained weights."""

import ctypes
import os
import platform
from importlib import metadata

from pdloss import __version__
from pdloss.assets.places import folders


def version_text() -> str:
    """Returns a line for each version, for the device and for the folders of weights; torch is not imported for it."""
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "is not installed"
    places = ", then ".join(f"{folder} ({called})" for folder, called in folders())
    lines = f"pdloss {__version__}", f"torch {torch}", f"python {platform.python_version()}", f"device {_device(torch)}"
    return "\n".join([*lines, f"weights are looked for in {places}"])


def _device(torch: str) -> str:
    """Returns where ``--device auto`` computes, as far as can be told without torch: by its build and the driver."""
    if "+cpu" in torch:
        return "cpu, the only one of this build of torch"
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        count = ctypes.c_int()
        failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    except (OSError, AttributeError):
        return "cpu, as no driver of a GPU is found"
    return (
        "cpu, as the driver finds no GPU" if failed or not count.value else f"cuda, {count.value} found by the driver"
    )
