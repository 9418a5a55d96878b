"""What losses draw anew for every value: how many drawings there were, and the offsets at which features begin."""

import torch
from torch import Tensor, nn

from pdloss.ops.streams import generator


class DrawCount(nn.Module):
    """A whole number, saved and loaded with the module it belongs to; on no device, so that none has to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.value = 0
        self._last: int | None = None

    def here(self) -> int:
        """Returns the number to draw by; while a backward pass computes a value once more, the one it had before.

        That is what gradient checkpointing does: other directions than the value's would give another gradient. Of
        several values whose gradients one backward pass takes, the last one's number is returned.
        """
        if _computed_again() and self._last is not None:
            return self._last
        self._last = self.value
        return self.value

    def advance(self) -> None:
        """Counts a drawing, unless a backward pass only repeats it."""
        if not _computed_again():
            self.value += 1

    def get_extra_state(self) -> Tensor:
        """Returns the number as a tensor, the only thing that safetensors holds."""
        return torch.tensor(self.value)

    def set_extra_state(self, state: Tensor) -> None:
        """Takes the number back."""
        self.value = int(state)


class Offsets(nn.Module):
    """The row and the column at which features begin, uniform below a bound; the n-th is a matter of seed and n alone.

    Args:
        bound: Rows and columns are drawn from 0 to one less; with 0 or 1 there is nothing to draw, nor to save.
        seed: Chooses the offsets.

    Raises:
        ValueError: If the bound is negative.
    """

    def __init__(self, bound: int, seed: int) -> None:
        super().__init__()
        if bound < 0:
            raise ValueError(f"offset must not be negative, got {bound}: it is the number of places to draw from")
        self.bound, self.seed = bound, seed
        self.drawings = DrawCount() if bound > 1 else None

    @property
    def most(self) -> int:
        """The most rows, and columns, that a drawing leaves out."""
        return max(self.bound - 1, 0)

    def draw(self) -> tuple[int, int]:
        """Returns the next row and column, and counts them."""
        if self.drawings is None:
            return 0, 0
        stream = generator("offset", self.seed, self.drawings.here())
        self.drawings.advance()
        row, column = torch.randint(self.bound, (2,), generator=stream).tolist()
        return row, column


def _computed_again() -> bool:
    """Whether this runs within a backward pass, as nothing does but what was left to be computed anew in it."""
    return int(torch._C._current_graph_task_id()) != -1
