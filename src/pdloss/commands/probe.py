"""``pdloss probe``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from pdloss.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor

    from pdloss._types import Images
    from pdloss.losses import LossTerms
    from pdloss.probing import Responses

KINDS = (".png", ".pdf", ".svg")


@dataclass(frozen=True)
class ProbeOptions:
    """Shows what a loss on features sees: its response to gratings, checkerboards, shuffle patterns and colour.

    The pattern is added to pictures, and the response is the loss's value relative to that for white noise of equal
    energy: 1 is as much as noise; below 0.25 is a blind spot, which a network may fill with a mesh at no cost.
    """

    features: tyro.conf.Positional[tuple[str, ...]]
    """Backbones and layers, such as distilled.relu4_3 vgg16.relu4_3."""
    loss: Literal["pdl", "perceptual"] = "pdl"
    """Which loss compares the features."""
    data: str = "deadleaves(images=4, size=128)"
    """Folder of photographs, or drawn pictures."""
    images: int = 4
    """How many pictures to add the patterns to."""
    size: int = 128
    """Side of the square taken from the middle of each, in pixels."""
    amplitude: float = 4 / 255
    """Root mean square of what is added, in units of [0, 1]."""
    out: Path | None = None
    """File of the plot: .png, .pdf or .svg."""

    def check(self) -> None:
        """Refuses what makes no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        if not self.features:
            raise SpecError("name features to probe, such as distilled.relu4_3")
        if self.images < 1 or self.size < 32:
            raise SpecError(f"--images {self.images} must be at least 1, and --size {self.size} at least 32")
        if not 0 < self.amplitude <= 0.1:
            raise SpecError(f"--amplitude {self.amplitude} must be above 0 and at most 0.1")
        if self.out is not None and self.out.suffix.lower() not in KINDS:
            raise SpecError(f"--out {self.out} must end in one of {', '.join(KINDS)}")


def main(argv: list[str]) -> int:
    """Measures, prints a table and the blind spots, and returns 0.

    Raises:
        UserError: If the features or pictures cannot be had, or an option is wrong.
    """
    options = tyro.cli(ProbeOptions, args=argv, prog="pdloss probe")
    options.check()
    from pdloss import losses
    from pdloss.commands.progress import Bar
    from pdloss.probing import PATTERNS, loss_responses
    from pdloss.specs.trust import TYPED

    pictures = _pictures(options)
    found = []
    with Bar("probing") as bar:
        for features in options.features:
            loss = losses.objective(f"{options.loss}(features={features!r})", TYPED).build()
            bar.begin(f"{options.loss} on {features}", 0, len(PATTERNS) + 1)
            found.append(loss_responses(partial(_total, loss), features, pictures, options.amplitude, bar.update))
    _print(options, found)
    if options.out is not None:
        from pdloss.probing.drawing import save_drawing

        save_drawing(found, options.out)
        print(options.out)
    return 0


def _total(loss: "Callable[[Tensor, Tensor], LossTerms]", restored: "Tensor", target: "Tensor") -> "Tensor":
    return loss(restored, target).total


def _pictures(options: ProbeOptions) -> "Images":
    import torch

    from pdloss.datasets import Photographs

    photographs = Photographs(options.data, smallest=options.size)
    squares = []
    for index in range(min(options.images, len(photographs))):
        image = photographs[index].float() / 255
        top, left = ((side - options.size) // 2 for side in image.shape[-2:])
        squares.append(image[:, top : top + options.size, left : left + options.size])
    return torch.stack(squares)


def _print(options: ProbeOptions, found: list["Responses"]) -> None:
    from pdloss.probing import BLIND
    from pdloss.tables import terminal
    from pdloss.tables.table import Cell, Table

    rows: list[tuple[str | Cell, ...]] = []
    for pattern in found[0].values:
        values = [response.values[pattern] for response in found]
        rows.append((pattern.name, *(Cell(f"{value:.2f}", bold=value < BLIND) for value in values)))
    title = f"{options.loss}: response relative to white noise of equal energy"
    terminal.show([Table(title, ("pattern", *(response.loss for response in found)), tuple(rows))])
    for response in found:
        names = ", ".join(f"{p.name} ({response.values[p]:.2f})" for p in response.blind_spots)
        said = f"blind spots, below {BLIND}: {names}" if names else f"no blind spot: nothing is below {BLIND}"
        terminal.say([f"{response.loss}: {said}"])
