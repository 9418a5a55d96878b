"""Why W1 and not KL: distances between histograms, first of a toy, then of a photograph's features.

    python examples/histogram_distances.py            writes docs/histogram_distances.md and its pictures

After figure 2 of the paper. The photograph comes with scikit-image and the features with pdloss: nothing is downloaded.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pages
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, spearmanr
from torch import Tensor

import pdloss
from pdloss.features import extractor

TOY = [math.comb(8, k) for k in range(9)]
"""Samples in each bin of the toy: 256 in all, in nine bins of width 1."""
SHIFTS = 41
TOLD = (0, 1, 2, 4, 8, 9, 10, 20, 40)

FLOOR, HIGHER_FLOOR = 1e-6, 1e-3
BINS = 64
ACTIVE = 0.5
NEAR = 0.1

Counts = NDArray[np.int64]


class Row(NamedTuple):
    """Distances of a toy that is shifted (place: by how far), or of one channel (place: its number)."""

    place: int
    kl: float
    kl_higher: float
    js: float
    w1: float
    spread: float = 1.0
    """Standard deviation of the target's values."""

    @property
    def relative(self) -> float:
        """W1 in units of the target's standard deviation."""
        return self.w1 / self.spread


def make(
    out: Path = Path("docs"),
    data: Path | None = None,
    features: str = "distilled-1.relu4_3",
    factor: int = 4,
    quick: bool = False,
) -> None:
    """Measures, draws, and writes the page.

    Args:
        out: Folder of the page and its pictures.
        data: Folder of photographs, of which the first is taken; by default one that comes with scikit-image.
        features: Backbone and one layer.
        factor: How many times smaller the photograph is made before it is made large again.
        quick: Look at the middle of the photograph only.
    """
    shifted = toy_rows()
    draw_toy(shifted, out / "histogram_toy.svg")

    ((name, photograph),) = pages.photographs(("astronaut",), data).items()
    sharp = pages.centre(photograph, 128 if quick else min(photograph.shape[-2:]) // 16 * 16, name)
    blunt = low_resolution(sharp, factor)
    channels = compared(*(first_map(features, image) for image in (blunt, sharp)))
    chosen = similar_kl(channels.rows)
    draw_features(sharp, blunt, channels, chosen, out / "histogram_features.svg")

    said = pages.command(
        "histogram_distances", data=data, features=features if features != "distilled-1.relu4_3" else None,
        factor=factor if factor != 4 else None, quick=quick,
    )  # fmt: skip
    protocol = (
        f"The middle {sharp.shape[-1]}x{sharp.shape[-1]} pixels of `{name}`, against the same made {factor} times "
        f"smaller and large again (bicubic, 8 bits), as `{features}` sees them"
    )
    pages.write_page(
        out / "histogram_distances.md", *toy_text(shifted, said), *feature_text(channels, chosen, protocol)
    )


def kl(counts: Counts, target: Counts, floor: float) -> float:
    """Returns the Kullback-Leibler divergence in nats, after `floor` is added to the share of every bin of both."""
    p, q = (c / c.sum() + floor for c in (counts, target))
    return float(entropy(p, q))  # which makes both sum to one


def js(counts: Counts, target: Counts) -> float:
    """Returns the Jensen-Shannon divergence in nats: without a floor, and at most ln 2."""
    return float(jensenshannon(counts, target) ** 2)


def toy_counts(shift: int) -> Counts:
    """Returns the toy histogram, moved by so many bins."""
    counts = np.zeros(BINS, dtype=np.int64)
    counts[shift : shift + len(TOY)] = TOY
    return counts


def toy_rows() -> list[Row]:
    """Returns the distances of the toy, shifted, to itself; W1 from the 256 values, not from the histogram."""
    values = torch.repeat_interleave(torch.arange(float(len(TOY))), torch.tensor(TOY))
    target = toy_counts(0)
    return [
        Row(shift, kl(moved, target, FLOOR), kl(moved, target, HIGHER_FLOOR), js(moved, target),
            pdloss.wasserstein_1d(values + shift, values).item())
        for shift in range(SHIFTS) for moved in (toy_counts(shift),)
    ]  # fmt: skip


def low_resolution(image: Tensor, factor: int) -> Tensor:
    """Returns the image made smaller and large again."""
    picture = Image.fromarray(pages.rows_of(image))
    small = picture.resize((picture.width // factor, picture.height // factor), Image.Resampling.BICUBIC)
    return pages.rgb(small.resize(picture.size, Image.Resampling.BICUBIC))


@torch.no_grad()
def first_map(features: str, image: Tensor) -> Tensor:
    """Returns the channels' values (C, N) at the first layer that `features` names."""
    layer, *_ = extractor(features)(image[None]).values()
    return layer[0].flatten(1)


class Channels(NamedTuple):
    """All channels' values, and the distances of those that are active in the target."""

    restored: Tensor
    target: Tensor
    rows: list[Row]

    def histograms(self, channel: int) -> tuple[Counts, Counts, NDArray[np.float64]]:
        """Returns the counts of both samples of a channel, in bins over their common range, and the bins' edges."""
        samples = [values[channel].double().numpy() for values in (self.restored, self.target)]
        edges = np.linspace(min(s.min() for s in samples), max(s.max() for s in samples), BINS + 1)
        return np.histogram(samples[0], edges)[0], np.histogram(samples[1], edges)[0], edges


def compared(restored: Tensor, target: Tensor) -> Channels:
    """Returns the distances of every channel (of C, N) that is above zero at enough of the target's positions."""
    channels = Channels(restored, target, [])
    for channel in torch.nonzero((target > 0).double().mean(1) >= ACTIVE)[:, 0].tolist():
        counts, of_target, _ = channels.histograms(channel)
        w1 = pdloss.wasserstein_1d(restored[channel], target[channel]).item()
        both = kl(counts, of_target, FLOOR), kl(counts, of_target, HIGHER_FLOOR)
        channels.rows.append(Row(channel, *both, js(counts, of_target), w1, target[channel].std().item()))
    return channels


def similar_kl(rows: list[Row]) -> list[Row]:
    """Returns, among the channels whose KL is within 10 % of the median, that of least, middle and largest W1/spread.

    Divided by the spread, so that none is chosen for its scale alone.
    """
    median = float(np.median([row.kl for row in rows]))
    near = sorted((row for row in rows if abs(row.kl - median) <= NEAR * median), key=lambda row: row.relative)
    return [near[0], near[len(near) // 2], near[-1]]


def draw_toy(rows: list[Row], path: Path) -> None:
    """Draws the toy and three of its shifts, then KL, JS and W1 against the shift."""
    shifts = [row.place for row in rows]
    with pages.figure(10, 2.6) as drawn:
        toy, of_kl, of_js, of_w1 = drawn.subplots(1, 4)
        for shift, colour in zip((0, 4, 20, 40), pages.COLOURS, strict=False):
            edges = np.arange(BINS + 1) - 0.5
            toy.stairs(toy_counts(shift), edges, fill=True, color=colour, alpha=0.75, label=f"shift {shift}")
        toy.legend(fontsize=7.5, ncols=2, loc="upper right")
        toy.set_ylim(0, 1.4 * max(TOY))
        toy.set(title="a toy, and the toy shifted", xlabel="value", ylabel="samples in the bin")
        lower, higher = [row.kl for row in rows], [row.kl_higher for row in rows]
        of_kl.plot(shifts, lower, color=pages.COLOURS[0], label=f"floor {FLOOR:g}")
        of_kl.plot(shifts, higher, "--", color=pages.COLOURS[1], label=f"floor {HIGHER_FLOOR:g}")
        of_kl.legend(loc="center right")
        of_js.plot(shifts, [row.js for row in rows], color=pages.COLOURS[0])
        of_w1.plot(shifts, [row.w1 for row in rows], color=pages.COLOURS[2])
        for axes, title in ((of_kl, "KL (nats)"), (of_js, "JS (nats)"), (of_w1, "W1")):
            axes.set(title=title, xlabel="shift")
            axes.set_ylim(bottom=0)
        pages.save(drawn, path)


def draw_features(sharp: Tensor, blunt: Tensor, channels: Channels, chosen: list[Row], path: Path) -> None:
    """Draws the two pictures, every channel's KL and W1, and the histograms of the channels chosen."""
    with pages.figure(10, 6.2) as drawn:
        (left, middle, right), lower = drawn.subplots(2, 3)
        for axes, image, title in ((left, sharp, "photograph"), (middle, blunt, "low resolution")):
            axes.imshow(pages.rows_of(pages.centre(image, min(224, image.shape[-1]), title)))
            axes.set_title(f"{title}, its middle")
            axes.set_axis_off()
        right.loglog([row.kl for row in channels.rows], [row.relative for row in channels.rows], "o",
                     color="#999999", markersize=3, label="one channel")  # fmt: skip
        for row, mark in zip(chosen, "v^s", strict=True):
            right.plot(row.kl, row.relative, mark, color=pages.COLOURS[1], markersize=7, label=f"channel {row.place}")
        right.set(title="all active channels", xlabel="KL (nats)", ylabel="W1 / spread of the target")
        right.legend(fontsize=7.5)
        for axes, row in zip(lower, chosen, strict=True):
            draw_histograms(axes, channels, row)
        pages.save(drawn, path)


def draw_histograms(axes: Axes, channels: Channels, row: Row) -> None:
    """Draws one channel's two histograms, and says their distances."""
    counts, of_target, edges = channels.histograms(row.place)
    axes.stairs(of_target / of_target.sum(), edges, fill=True, color=pages.COLOURS[5], label="photograph")
    axes.stairs(counts / counts.sum(), edges, color=pages.COLOURS[1], linewidth=1.4, label="low resolution")
    axes.set(title=f"channel {row.place}", xlabel="feature", ylabel="share of the positions")
    axes.set_yscale("log")
    said = f"KL {row.kl:.3f}   JS {row.js:.3f}\nW1 {row.w1:.1f}   W1/spread {row.relative:.3f}"
    axes.legend(title=said, loc="upper right", alignment="right", fontsize=7.5, title_fontsize=8.5)


def overlap(channels: Channels) -> float:
    """Returns the share that a channel's two histograms have in common, the median over the channels compared."""
    pairs = [channels.histograms(row.place)[:2] for row in channels.rows]
    return float(np.median([np.minimum(one / one.sum(), other / other.sum()).sum() for one, other in pairs]))


def toy_text(rows: list[Row], said: str) -> list[str]:
    """Returns the page's beginning, and what it says of the toy."""
    apart = [row for row in rows if row.place >= len(TOY)]
    steady = max(max(values) - min(values) for values in zip(*[(r.kl, r.kl_higher, r.js) for r in apart], strict=True))
    off = max(abs(row.w1 - row.place) for row in rows)
    told = [[str(r.place), f"{r.kl:.6f}", f"{r.kl_higher:.6f}", f"{r.js:.6f}", f"{r.w1:.6f}"]
            for r in rows if r.place in TOLD]  # fmt: skip
    return [
        "# Distances between histograms",
        "Why does the projected distribution loss measure W1, the Wasserstein distance, and not the better known KL or "
        "JS divergence? After figure 2 of the paper. Page and pictures are written by",
        f"    {said}",
        "## A toy that moves",
        "![A bump of nine bins and its shifts; KL and JS against the shift, flat from nine on; W1, a straight line]"
        f"(histogram_toy.svg)\n\n*256 values in {len(TOY)} bins of width 1 (binomial), against themselves moved to the "
        f"right, in {BINS} bins. KL(moved, toy) after a floor is added to the share of every bin; natural logarithms. "
        "W1 is `pdloss.wasserstein_1d` of the values themselves.*",
        pages.table(["shift", f"KL, floor {FLOOR:g}", f"KL, floor {HIGHER_FLOOR:g}", "JS", "W1"], told),
        f"- From a shift of {len(TOY)} on no bin is shared. KL and JS compare bin by bin, so that all the rest of the "
        f"way is one and the same to them: from there to {rows[-1].place} they change by {steady:.1g} at most. A loss "
        "that is flat says neither how far it is nor which way to go.\n"
        f"- Without a floor KL would be infinite there. The height of its plateau is the floor's doing: "
        f"{apart[0].kl:.2f} with {FLOOR:g}, {apart[0].kl_higher:.2f} with {HIGHER_FLOOR:g}. JS ends at ln 2, here "
        f"{apart[-1].js:.6f}.\n"
        "- W1 of a sample moved by s is s: sorted, every value lies s from its partner. Measured: |W1 - s| is "
        f"{off:.1g} at most. It needs neither bins nor a floor.",
    ]


def feature_text(channels: Channels, chosen: list[Row], protocol: str) -> list[str]:
    """Returns what the page says of real features."""
    rows = channels.rows
    agree = {name: float(spearmanr([row.kl for row in rows], values).statistic)
             for name, values in (("raw", [r.w1 for r in rows]), ("relative", [r.relative for r in rows]))}  # fmt: skip
    told = [[str(r.place), f"{r.kl:.3f}", f"{r.kl_higher:.3f}", f"{r.js:.3f}", f"{r.w1:.1f}", f"{r.relative:.3f}"]
            for r in chosen]  # fmt: skip
    kls, ratios, w1s = zip(*[(row.kl, row.relative, row.w1) for row in chosen], strict=True)
    return [
        "## A photograph's features",
        "![The photograph and its low-resolution version; KL and W1 of all channels; three histograms]"
        f"(histogram_features.svg)\n\n*{protocol}; {channels.target.shape[1]} positions. Of {len(channels.target)} "
        f"channels, the {len(rows)} that are above zero at {ACTIVE:.0%} of the photograph's positions or more. {BINS} "
        f"bins from the least to the largest value of both; KL(low resolution, photograph), floor {FLOOR:g}; shares on "
        "a logarithmic axis. Spread: standard deviation of the channel in the photograph.*",
        pages.table(["channel", "KL", f"KL, floor {HIGHER_FLOOR:g}", "JS", "W1", "W1/spread"], told),
        f"The rule: among the channels whose KL is within {NEAR:.0%} of the median KL of all, those of the least, the "
        "middle and the largest W1/spread. Dividing by the spread keeps a channel from being chosen for its scale.",
        f"- KL of these three: {min(kls):.3f} to {max(kls):.3f}. W1/spread: {min(ratios):.3f} to {max(ratios):.3f}, "
        f"a factor of {max(ratios) / min(ratios):.1f}; W1 itself: a factor of {max(w1s) / min(w1s):.1f}. The paper's "
        "figure 2 prints W1 0.10 with KL 0.07, 0.92 with 0.07, and 1.21 with 0.06; how its channels were chosen, and "
        "in which units, is not known.\n"
        f"- Over all {len(rows)} channels the rank correlation of KL is {agree['raw']:.2f} with W1 and "
        f"{agree['relative']:.2f} with W1/spread; 1 would be the same order.\n"
        f"- The two histograms of a channel have {overlap(channels):.0%} in common (median), so that KL is not flat as "
        "it is for the toy. What it still needs, and W1 does not, are bins, and a floor wherever one is empty: compare "
        "its two columns.",
    ]


if __name__ == "__main__":
    pages.main(make)
