"""Where a device gains from bfloat16, and autocast there."""

import contextlib
from typing import Literal, TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


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
