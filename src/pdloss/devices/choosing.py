"""The device that a user names, if it is there."""

import torch

from pdloss.errors import SpecError
from pdloss.specs import suggestion

_DEVICES = ("auto", "cpu", "cuda", "cuda:1", "mps", "xpu")


def chosen_device(name: str) -> torch.device:
    """Returns the device of that name; ``auto`` takes a GPU if there is one.

    Raises:
        SpecError: If the name means nothing to torch, or the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        meant = "; did you mean 'cuda'?" if "gpu" in name.lower() else suggestion(name.partition(":")[0], _DEVICES)
        raise SpecError(f"--device {name!r} cannot be used: there is no such device{meant}") from None
    if device.type == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        found = f"this machine has {count}, counted from cuda:0" if count else "torch finds none here; use auto or cpu"
        raise SpecError(f"--device {name!r} cannot be used: there is no such GPU, {found}")
    try:
        torch.zeros(1, device=device).item()  # only an answer proves that it computes: meta has none
    except (RuntimeError, AssertionError, ImportError) as error:
        there = f"; there are {torch.cuda.device_count()} GPUs" if torch.cuda.is_available() else "; there is no GPU"
        problem = str(error).splitlines()[0][:300].partition("Expected one of")[0].rstrip(": ") or "it means nothing"
        raise SpecError(
            f"--device {name!r} cannot be used: {problem}; write auto, cpu, cuda or cuda:1{there}"
        ) from None
    return device
