"""How large a tile may be: from the memory that is free, and what the network takes for a pixel."""

import os
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from pdloss.restoration.reach import Reach
from pdloss.restoration.tiles import SEAM

LEAST = 32
"""Side of the smallest tile that is tried."""
_MOST = {"cpu": 512, "cuda": 2048}
"""Larger tiles gain nothing: what they see besides what they give is little, and on processors leaves the cache."""
_SHARE = {"cpu": 0.25, "cuda": 0.6}
"""Of the free memory; on processors, the picture and other programs want theirs."""
_AT_ONCE = 3
"""How many times what a layer reads and writes is held at once, with what others keep, and what is computed within."""
_BATCH = 8


@torch.no_grad()
def bytes_for_a_pixel(network: nn.Module, channels: int = 3) -> float:
    """Returns how many bytes a network takes for a pixel of its input: those of its widest layer, a few times."""
    most, side = 0, 64

    def seen(_: nn.Module, inputs: tuple[Tensor, ...], made: Tensor) -> None:
        nonlocal most
        values = [made, *inputs]
        most = max(most, sum(each.numel() * each.element_size() for each in values if isinstance(each, Tensor)))

    hooks = [module.register_forward_hook(seen) for module in network.modules() if not list(module.children())]
    try:
        device = next((p.device for p in network.parameters()), torch.device("cpu"))
        network(torch.zeros(1, channels, side, side, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return _AT_ONCE * most / side**2


def fitting_tile(a_pixel: float, reach: Reach, device: torch.device) -> int:
    """Returns the side of the tiles that fit the free memory."""
    budget = _SHARE.get(device.type, 0.25) * free_memory(device)
    side = int((budget / max(a_pixel, 1)) ** 0.5) - 2 * (reach.pixels + SEAM)
    return max(LEAST, min(_MOST.get(device.type, 512), side) // 16 * 16)


def fitting_batch(a_pixel: float, tile: int, reach: Reach, device: torch.device) -> int:
    """Returns how many tiles go through at once: on a processor one, which is what keeps all of its cores busy."""
    if device.type == "cpu":
        return 1
    seen = (tile + 2 * (reach.pixels + SEAM)) ** 2
    return max(1, min(_BATCH, int(_SHARE.get(device.type, 0.25) * free_memory(device) / (a_pixel * seen))))


def free_memory(device: torch.device) -> float:
    """Returns the bytes that are free on a device, or in this machine and for this process."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return min([_available(), *_left_in_groups()])


def _available() -> float:
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return float(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return float(4 << 30)


def _left_in_groups() -> list[float]:
    """Returns what the limits of containers leave."""
    found = []
    for most, now in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # the word "max" is no number
            found.append(float(Path(most).read_text()) - float(Path(now).read_text()))
    return found
