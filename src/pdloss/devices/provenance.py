"""What made a result: versions, and the commit of the checkout."""

import platform
import subprocess
from pathlib import Path

import PIL
import torch

from pdloss import __version__


def versions() -> dict[str, str]:
    """Returns the versions that a result may depend on."""
    return {
        "pdloss": __version__,
        "torch": str(torch.__version__),
        "pillow": PIL.__version__,
        "python": platform.python_version(),
    }


def machine(device: torch.device, processes: int = 1) -> dict[str, str]:
    """Returns what else than versions the last bits of a training depend on."""
    found = {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
        "processes": str(processes),
    }
    return found | ({"gpu": torch.cuda.get_device_name(device)} if device.type == "cuda" else {})


def commit() -> str | None:
    """Returns the commit of the checkout that pdloss runs from, or None outside of one."""
    folder = Path(__file__).parent
    try:
        git = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        inside = subprocess.run([*git[:3], "ls-files", "--error-unmatch", __file__], capture_output=True, check=False)
        if inside.returncode:
            return None
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
