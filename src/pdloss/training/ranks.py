"""Several processes that train one network together, as ``torchrun`` starts them; one by itself is rank 0 of 1.

Each computes its own part of every batch. Before an optimiser takes its step, gradients are averaged over the
processes, so that all hold the same weights; the first writes the run folder.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed
from torch import Tensor
from torch.distributed import ReduceOp

from pdloss.errors import RunError


@dataclass(frozen=True)
class Ranks:
    """Which process this is, of how many."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    """Its number on its own machine."""
    local_world_size: int = 1
    """How many there are on its own machine."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @property
    def threads(self) -> int:
        """How many threads compute, if this process has the cores for itself; else 0."""
        return torch.get_num_threads() if self.world_size == 1 and self.device.type == "cpu" else 0

    @contextlib.contextmanager
    def first_before_others(self) -> Iterator[None]:
        """Lets the first process do what is done within, and then the others."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def wait(self) -> None:
        """Waits until every process has come here."""
        if self.world_size > 1:
            with _others_alive():
                torch.distributed.barrier()

    def any(self, flag: bool) -> bool:
        """Returns whether the flag is set in any process; all must ask."""
        return bool(self._reduced(torch.tensor(float(flag)), ReduceOp.MAX)) if self.world_size > 1 else flag

    def sums(self, values: Mapping[str, float]) -> dict[str, float]:
        """Returns the sum of each value over the processes; all must ask, with the same names."""
        if self.world_size == 1:
            return dict(values)
        total = self._reduced(torch.tensor(list(values.values()), dtype=torch.float64), ReduceOp.SUM)
        return dict(zip(values, total.tolist(), strict=True))

    def means(self, values: Mapping[str, float]) -> dict[str, float]:
        """Returns the mean of each value over the processes; all must ask, with the same names."""
        return {name: total / self.world_size for name, total in self.sums(values).items()}

    def average_gradients_of(self, optimiser: torch.optim.Optimizer) -> None:
        """Has every later step of the optimiser average its gradients over the processes first."""
        if self.world_size > 1:
            optimiser.register_step_pre_hook(self._average_gradients)

    def _average_gradients(self, optimiser: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
        if not gradients:
            return
        together = torch.cat([gradient.flatten() for gradient in gradients]) / self.world_size  # one message, not many
        with _others_alive():
            torch.distributed.all_reduce(together)
        for gradient, mean in zip(gradients, torch.split(together, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def _reduced(self, values: Tensor, how: Any) -> Tensor:
        moved = values.to(self.device)
        with _others_alive():
            torch.distributed.all_reduce(moved, how)
        return moved.cpu()


@contextlib.contextmanager
def _others_alive() -> Iterator[None]:
    """Says in one sentence that a process is gone that the others wait for.

    Raises:
        RunError: In place of the error of the connection to it.
    """
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise RunError(
            f"another of the processes that train together has ended, and its own message says why ({reason}); "
            "what was saved stays, and the same command goes on"
        ) from error


def is_first() -> bool:
    """Returns whether this is the process that speaks for all that ``torchrun`` started."""
    return int(os.environ.get("RANK", "0")) == 0


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Yields the ranks that ``torchrun`` started, connected until the end; without it, one process alone.

    Args:
        device: Where to compute; of several GPUs of one machine, each process takes the one of its own number.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield Ranks(device=device)
        return
    rank, local_rank = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if device.type == "cuda":
        device = torch.device("cuda", local_rank)
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(rank, world_size, local_rank, int(os.environ.get("LOCAL_WORLD_SIZE", "1")), device)
    finally:
        torch.distributed.destroy_process_group()
