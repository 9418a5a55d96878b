"""``pdloss --version``: what runs here, and where it looks for pretrained weights."""

import platform
from importlib import metadata

from pdloss import __version__
from pdloss.assets.places import folders


def version_text() -> str:
    """Returns a line for each version, and one for the folders of weights; torch is asked about, not imported."""
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "is not installed"
    places = ", then ".join(f"{folder} ({called})" for folder, called in folders())
    lines = f"pdloss {__version__}", f"torch {torch}", f"python {platform.python_version()}"
    return "\n".join([*lines, f"weights are looked for in {places}"])
