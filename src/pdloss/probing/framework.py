"""The training framework as a picture: two images, real feature maps of both, and their sorted values (Figure 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pdloss._types import check_pair
from pdloss.charts.palette import PRINTED
from pdloss.charts.saving import files_beside, save, styled
from pdloss.errors import ImageError
from pdloss.features import extractor
from pdloss.files import output
from pdloss.ops.wasserstein import wasserstein_1d
from pdloss.specs.trust import RECEIVED, Trust

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RESTORED, _TARGET, _GREY = PRINTED["s0"], PRINTED["s1"], PRINTED["muted"]


@dataclass(frozen=True)
class Channel:
    """One channel of the features of both images."""

    index: int
    cost: float
    """The 1-D Wasserstein cost between its values, p = 1: the mean distance of the sorted values."""
    restored: Float[np.ndarray, "h w"]
    target: Float[np.ndarray, "h w"]


@dataclass(frozen=True)
class Compared:
    """What the loss sees of two images."""

    layer: str
    count: int
    """Channels in all."""
    mean: float
    """Cost over all channels: the loss with the identity as projections."""
    channels: tuple[Channel, ...]
    """Some of them, the one with the largest cost first."""


def compared_channels(
    restored: Float[Tensor, "1 3 h w"],
    target: Float[Tensor, "1 3 h w"],
    features: str,
    count: int = 4,
    trusted: Trust = RECEIVED,
) -> Compared:
    """Returns the channels of the picture: the one with the largest cost, then others evenly down to the median.

    Channels that are zero everywhere in both images are not among them.

    Args:
        restored: RGB in [0, 1].
        target: Of the same shape.
        features: A backbone and one layer, such as ``"vgg19.relu4_3"``; of several layers the last.
        count: How many channels.
        trusted: Whose text the features are.

    Raises:
        SpecError: If the features are unknown.
        AssetError: If their weights are not at hand.
        ImageError: If the images are too small for the features, or every channel is zero.
        ValueError: If the shapes differ.
    """
    check_pair(restored, target)
    network = extractor(features, trusted)
    try:
        with torch.no_grad():
            maps = [network(images) for images in (restored, target)]
    except ValueError as error:
        raise ImageError(f"{error}; choose a larger image or a shallower layer") from None
    layer = list(maps[0])[-1]
    ours, theirs = (one[layer][0] for one in maps)
    costs = wasserstein_1d(ours.flatten(1), theirs.flatten(1))
    alive = ((ours != 0) | (theirs != 0)).flatten(1).any(dim=1)
    ranked = [int(i) for i in costs.argsort(descending=True) if alive[i]]
    if not ranked:
        raise ImageError(f"every channel of {features} is zero for these images; choose others")
    places = np.unique(np.linspace(0, (len(ranked) - 1) // 2, min(count, (len(ranked) + 1) // 2)).round().astype(int))
    chosen = [ranked[place] for place in places]
    found = tuple(Channel(i, costs[i].item(), ours[i].numpy(), theirs[i].numpy()) for i in chosen)
    return Compared(layer, len(costs), costs.mean().item(), found)


def save_framework(
    restored: Float[Tensor, "1 3 h w"],
    target: Float[Tensor, "1 3 h w"],
    features: str,
    out: Path,
    count: int = 4,
    *,
    overwrite: bool = False,
    trusted: Trust = RECEIVED,
) -> list[Path]:
    """Writes the picture as PNG, PDF and SVG and returns their paths.

    Args:
        restored: RGB in [0, 1].
        target: Of the same shape.
        features: As for `compared_channels`.
        out: Path of the files, without a suffix or with one of the three.
        count: How many channels.
        overwrite: Replace files that stand there and were not written by us.
        trusted: Whose text the features are.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        UserError: As `compared_channels`; or if a file stands there that is not to be replaced.
    """
    paths = files_beside(out)
    with styled(), output(*paths, overwrite=overwrite):
        compared = compared_channels(restored, target, features, count, trusted)
        save(_figure([_pixels(restored), _pixels(target)], compared, features), paths)
    return paths


def _pixels(images: Tensor) -> Float[np.ndarray, "h w 3"]:
    values: Float[np.ndarray, "h w 3"] = images[0].permute(1, 2, 0).clamp(0, 1).numpy()
    return values


def _figure(pictures: Sequence[Float[np.ndarray, "h w 3"]], compared: Compared, features: str) -> "Figure":
    from matplotlib.figure import Figure

    count = len(compared.channels)
    figure = Figure(figsize=(3.1 + 1.9 * count, 6.4))
    grid: Any = {"left": 0.025, "right": 0.985, "top": 0.88, "bottom": 0.1, "wspace": 0.1, "hspace": 0.12}
    spec = figure.add_gridspec(3, count + 1, width_ratios=[1.2, *[1.0] * count], height_ratios=[1, 1, 0.85], **grid)
    for row, (name, picture) in enumerate(zip(("restored", "target"), pictures, strict=True)):
        axes = figure.add_subplot(spec[row, 0])
        axes.imshow(picture)
        _bare(axes)
        axes.set_ylabel(name, color=(_RESTORED, _TARGET)[row], fontsize=10)
        for column, channel in enumerate(compared.channels, start=1):
            shown = figure.add_subplot(spec[row, column])
            high = max(float(channel.restored.max()), float(channel.target.max()))
            low = min(float(channel.restored.min()), float(channel.target.min()))
            shown.imshow((channel.restored, channel.target)[row], cmap="magma", vmin=low, vmax=high)
            _bare(shown)
            if row == 0:
                shown.set_title(f"channel {channel.index}", fontsize=9, color=_GREY)
    words = figure.add_subplot(spec[2, 0])
    words.set_axis_off()
    said = (
        f"Values of each channel, sorted:\nwhere they lie is forgotten,\nhow often they occur is not.\n\n"
        f"Loss: the shaded area, averaged\nover all {compared.count} channels = {compared.mean:.4g}"
    )
    words.text(0.0, 0.5, said, va="center", fontsize=8.5, color=_GREY, linespacing=1.45)
    for column, channel in enumerate(compared.channels, start=1):
        _sorted_values(figure.add_subplot(spec[2, column]), channel, first=column == 1)
    figure.text(0.025, 0.95, "images", fontsize=11, weight="bold")
    left = spec[0, 1].get_position(figure).x0
    figure.text(left, 0.95, f"feature maps, {features}", fontsize=11, weight="bold")
    return figure


def _sorted_values(axes: "Axes", channel: Channel, first: bool) -> None:
    """Draws both samples in ascending order: the area between them is the cost."""
    for values, colour, name in ((channel.restored, _RESTORED, "restored"), (channel.target, _TARGET, "target")):
        ordered = np.sort(values.ravel())
        share = (np.arange(len(ordered)) + 0.5) / len(ordered)
        axes.plot(share, ordered, color=colour, linewidth=1.5, label=name)
    low, high = np.sort(channel.restored.ravel()), np.sort(channel.target.ravel())
    axes.fill_between(share, low, high, color=_GREY, alpha=0.25, linewidth=0)
    axes.set_xlim(0, 1)
    axes.set_yticks([0])
    axes.set_xticks([0, 1], ["lowest", "highest"])
    lowest, highest = axes.get_xticklabels()
    lowest.set_horizontalalignment("left")
    highest.set_horizontalalignment("right")
    axes.tick_params(labelsize=7.5, colors=_GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(f"area {channel.cost:.3g}", fontsize=9)
    if first:
        axes.legend(frameon=False, fontsize=7.5, loc="upper left", handlelength=1.2)


def _bare(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
