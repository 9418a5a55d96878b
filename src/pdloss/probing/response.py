"""The response of a loss to each pattern."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pdloss._types import Images
from pdloss.ops.patterns import PATTERNS, Pattern, white_noise
from pdloss.ops.streams import generator as stream

BLIND = 0.25
"""Below this share of the response to white noise a pattern is a blind spot: a network may leave it for nothing."""

DRAWS = 2
"""Draws of each pattern on each picture."""


@dataclass(frozen=True)
class Responses:
    """What one loss sees."""

    loss: str
    values: dict[Pattern, float]
    """For each pattern, the loss's value over its value for white noise of equal energy."""

    @property
    def blind_spots(self) -> list[Pattern]:
        """The patterns below `BLIND`, the least seen first."""
        return sorted((p for p, value in self.values.items() if value < BLIND), key=lambda p: self.values[p])


def loss_responses(
    loss: Callable[[Tensor, Tensor], Tensor],
    name: str,
    pictures: Images,
    amplitude: float = 4 / 255,
    progress: Callable[[int, int], None] = lambda done, total: None,
    patterns: Sequence[Pattern] = PATTERNS,
    seed: int = 0,
) -> Responses:
    r"""Returns how strongly a loss responds to each pattern :math:`p`, relative to white noise :math:`n`.

    .. math:: \frac{\operatorname{mean}_{x, p}\, L(x + a p, x)}{\operatorname{mean}_{x, n}\, L(x + a n, x)}

    with pattern and noise of root mean square 1, :math:`a` the amplitude, and :math:`x` over the pictures. 1 means that
    the pattern costs a network as much as noise, 0 that it costs nothing.

    Args:
        loss: Maps restored and target, each (B, 3, H, W), to a scalar, the mean of those of single images.
        name: What to call it.
        pictures: RGB in [0, 1], :math:`(B, 3, S, S)`; their contrast is reduced so that nothing is clipped.
        amplitude: Root mean square of what is added, in units of [0, 1].
        progress: Told of how many patterns of all are done.
        patterns: What to show.
        seed: Chooses phases, tiles, colours and noise; the same for every loss.

    Raises:
        ValueError: If the loss has no response to white noise, so that there is nothing to compare with.
    """
    room = 4 * amplitude  # noise is Gaussian: hardly a value lies further out
    targets = pictures * (1 - 2 * room) + room
    shown = [Pattern("white noise", white_noise), *patterns]
    responses = {}
    for done, pattern in enumerate(shown, start=1):
        added = [
            pattern.draw(targets.shape[-1], stream("probe", seed, pattern.name, index, draw))
            for index in range(len(targets))
            for draw in range(DRAWS)
        ]
        repeated = targets.repeat_interleave(DRAWS, 0)
        with torch.no_grad():
            responses[pattern] = float(loss(repeated + amplitude * torch.stack(added), repeated))
        progress(done, len(shown))
    noise = responses.pop(shown[0])
    if not noise > 0:
        raise ValueError(f"{name} does not respond to white noise, so there is nothing to compare patterns with")
    return Responses(name, {pattern: value / noise for pattern, value in responses.items()})
