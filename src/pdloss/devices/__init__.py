"""Where a device gains from bfloat16, and autocast there."""

import contextlib
from typing import Literal, TypeVar

import torch
from torch import nn

from pdloss.errors import SpecError
from pdloss.specs import suggestion

M = TypeVar("M", bound=nn.Module)

_DEVICES = ("auto", "cpu", "cuda", "cuda:1", "mps", "xpu")


def best_precision(device: torch.device) -> Literal["bfloat16", "float32"]:
    """Returns ``"bfloat16"`` where the device multiplies it natively, else ``"float32"``.

    On processors without bfloat16 instructions the conversion costs more than it saves.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device.type == "cpu":
        # torch offers no public name for these two; where they are missing we stay with float32.
        native = [getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
        return "bfloat16" if any(native) else "float32"
    return "float32"


def autocast(device: torch.device, precision: str | None = None) -> contextlib.AbstractContextManager[object]:
    """Returns the context in which convolutions run in `precision`, by default the device's best."""
    if (precision or best_precision(device)) == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def channels_last(module: M) -> M:
    """Returns the module with its weights laid out channel by channel last, which convolutions run fastest on."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


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
