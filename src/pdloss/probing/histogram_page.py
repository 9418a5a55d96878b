"""The page of `pdloss.probing.histograms`: what moves KL, JS and W1, in words, tables, pictures and files."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from pdloss.charts.histograms import save_channels, save_toy
from pdloss.charts.palette import THEMES
from pdloss.charts.saving import require_matplotlib
from pdloss.files import output, write_text
from pdloss.probing.histograms import ACTIVE, SHIFTS, TOY, Seen, toy_counts, toy_distances
from pdloss.statistics.histograms import BINS, FLOOR, HIGHER_FLOOR, NEAR, Distances
from pdloss.tables.csv_text import csv_text
from pdloss.tables.latex import latex
from pdloss.tables.markdown import markdown
from pdloss.tables.table import Table
from pdloss.templates import template

TITLE = "Distances between histograms"
LEAD = (
    "Why does the projected distribution loss measure W1, the Wasserstein distance, and not the better known KL or JS "
    "divergence? After figure 2 of the paper. Page and pictures are written by"
)
_TOLD = (0, 1, 2, 4, 8, 9, 10, 20, 40)
_HEADS = f"KL, floor {HIGHER_FLOOR:g}", "JS", "W1"


@dataclass(frozen=True)
class Section:
    """One part of the page: a heading, a picture, a table, and what they say."""

    heading: str
    picture: str
    """The stem of its file; none if empty."""
    alt: str
    caption: str
    table: Table
    """Its remarks are what it says."""


def sections(photographs: Sequence[Seen], features: str, factor: int) -> list[Section]:
    """Returns the parts of the page: the toy, the first photograph, and all of them where there are several.

    Args:
        photographs: At least one.
        features: By which they are seen.
        factor: How many times smaller they were.
    """
    parts = [_toy(toy_distances()), _features(photographs[0], features, factor)]
    return [*parts, _each(photographs)] if len(photographs) > 1 else parts


def page(said: str, parts: Sequence[Section], pictures: Mapping[str, str]) -> str:
    """Returns the page as Markdown.

    Args:
        said: The command that writes it.
        parts: What is on it.
        pictures: The names of the pictures' files by their stems.
    """
    texts = [f"# {TITLE}", LEAD, f"    {said}"]
    for part in parts:
        shown = f"![{part.alt}]({pictures[part.picture]})\n\n" if part.picture else ""
        texts += [f"## {part.heading}", f"{shown}*{part.caption}*", markdown([part.table]).rstrip()]
    return "\n\n".join(texts) + "\n"


def draw(photograph: Seen, toy: Sequence[Path], channels: Sequence[Path]) -> None:
    """Writes the two pictures, once for each path.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    save_toy(toy_distances(), [toy_counts(shift) for shift in range(SHIFTS)], toy)
    save_channels(photograph.sharp, photograph.blunt, photograph.rows, photograph.chosen, channels)


def write_result(out: Path, photographs: Sequence[Seen], features: str, factor: int, said: str) -> list[Path]:
    """Returns the files of the result: page, Markdown, LaTeX, CSV, and the pictures as SVG and PNG.

    Args:
        out: The folder.
        photographs: As `sections`.
        features: By which they are seen.
        factor: How many times smaller they were.
        said: The command that writes it.

    Raises:
        MissingExtraError: If matplotlib or jinja2 is not installed.
        UserError: If a file cannot be written, or another's stands in its place.
    """
    require_matplotlib()
    html = template("pdloss.probing", "histograms.html.j2", "report", {"data_uri": _data_uri})
    parts = sections(photographs, features, factor)
    texts = {
        "result.md": page(said, parts, {stem: f"{stem}.svg" for stem in ("toy", "channels")}),
        "result.tex": latex([part.table for part in parts]),
        "toy.csv": _csv("shift", [("", row) for row in toy_distances()]),
        "channels.csv": _csv("channel", [(each.name, row) for each in photographs for row in each.rows]),
    }
    pictures = {stem: [out / f"{stem}.{kind}" for kind in ("svg", "png")] for stem in ("toy", "channels")}
    files = [*(out / name for name in texts), *(file for each in pictures.values() for file in each)]
    with output(*files, index := out / "index.html"):
        out.mkdir(parents=True, exist_ok=True)
        draw(photographs[0], pictures["toy"], pictures["channels"])
        for name, text in texts.items():
            write_text(out / name, text)
        shown = {"title": TITLE, "lead": LEAD, "said": said, "parts": parts, "out": out, "themes": THEMES}
        write_text(index, html.render(shown))
    return [*files, index]


def _toy(rows: Sequence[Distances]) -> Section:
    apart = [row for row in rows if row.place >= len(TOY)]
    steady = max(max(values) - min(values) for values in zip(*[(r.kl, r.kl_higher, r.js) for r in apart], strict=True))
    off = max(abs(row.w1 - row.place) for row in rows)
    told = [(str(r.place), *(f"{value:.6f}" for value in (r.kl, r.kl_higher, r.js, r.w1)))
            for r in rows if r.place in _TOLD]  # fmt: skip
    remarks = (
        f"From a shift of {len(TOY)} on no bin is shared. KL and JS compare bin by bin, so that all the rest of the "
        f"way is one and the same to them: from there to {rows[-1].place} they change by {steady:.1g} at most. A loss "
        "that is flat says neither how far it is nor which way to go.",
        "Without a floor KL would be infinite there. The height of its plateau is the floor's doing: "
        f"{apart[0].kl:.2f} with {FLOOR:g}, {apart[0].kl_higher:.2f} with {HIGHER_FLOOR:g}. JS ends at ln 2, here "
        f"{apart[-1].js:.6f}.",
        "W1 of a sample moved by s is s: sorted, every value lies s from its partner. Measured, it is off by "
        f"{off:.1g} at most. It needs neither bins nor a floor.",
    )
    return Section(
        "A toy that moves",
        "toy",
        "A bump of nine bins and its shifts; KL and JS against the shift, flat from nine on; W1, a straight line",
        f"256 values in {len(TOY)} bins of width 1 (binomial), against themselves moved to the right, in {BINS} bins. "
        "KL(moved, toy) after a floor is added to the share of every bin; natural logarithms. W1 is "
        "`pdloss.wasserstein_1d` of the values themselves.",
        Table("", ("shift", f"KL, floor {FLOOR:g}", *_HEADS), tuple(told), left=0, remarks=remarks),
    )


def _features(photograph: Seen, features: str, factor: int) -> Section:
    rows, chosen = photograph.rows, [each.distances for each in photograph.chosen]
    raw, relative = _agreement(photograph)
    told = [(str(r.place), f"{r.kl:.3f}", f"{r.kl_higher:.3f}", f"{r.js:.3f}", f"{r.w1:.1f}", f"{r.relative:.3f}")
            for r in chosen]  # fmt: skip
    kls, ratios, w1s = zip(*[(row.kl, row.relative, row.w1) for row in chosen], strict=True)
    remarks = (
        f"The rule: among the channels whose KL is within {NEAR:.0%} of the median KL of all, those of the least, the "
        "middle and the largest W1/spread. Dividing by the spread keeps a channel from being chosen for its scale.",
        f"KL of these three: {min(kls):.3f} to {max(kls):.3f}. W1/spread: {min(ratios):.3f} to {max(ratios):.3f}, a "
        f"factor of {max(ratios) / min(ratios):.1f}; W1 itself: a factor of {max(w1s) / min(w1s):.1f}. The paper's "
        "figure 2 prints W1 0.10 with KL 0.07, 0.92 with 0.07, and 1.21 with 0.06; how its channels were chosen, and "
        "in which units, is not known.",
        f"Over all {len(rows)} channels the rank correlation of KL is {raw:.2f} with W1 and {relative:.2f} with "
        "W1/spread; 1 would be the same order.",
        f"The two histograms of a channel have {photograph.overlap:.0%} in common (median), so that KL is not flat as "
        "it is for the toy. What it still needs, and W1 does not, are bins, and a floor wherever one is empty: compare "
        "its two columns.",
    )
    side = " x ".join(map(str, photograph.sharp.shape[1::-1]))
    return Section(
        "A photograph's features",
        "channels",
        "The photograph and its low-resolution version; KL and W1 of all channels; three histograms",
        f"The middle {side} pixels of `{photograph.name}`, against the same made {factor} times smaller and large "
        f"again (bicubic, 8 bits), as `{features}` sees them; {photograph.target.shape[1]} positions. Of "
        f"{len(photograph.target)} channels, the {len(rows)} that are above zero at {ACTIVE:.0%} of the photograph's "
        f"positions or more. {BINS} bins from the least to the largest value of both; KL(low resolution, photograph), "
        f"floor {FLOOR:g}; shares on a logarithmic axis. Spread: standard deviation of the channel in the photograph.",
        Table("", ("channel", "KL", *_HEADS, "W1/spread"), tuple(told), left=0, remarks=remarks),
    )


def _each(photographs: Sequence[Seen]) -> Section:
    rows, factors, agreements = [], [], []
    for each in photographs:
        chosen = [one.distances for one in each.chosen]
        factors.append(chosen[-1].relative / chosen[0].relative)
        raw, relative = _agreement(each)
        agreements.append(relative)
        kls = [row.kl for row in chosen]
        said = f"{min(kls):.3f} to {max(kls):.3f}", f"{factors[-1]:.1f}", f"{raw:.2f}", f"{relative:.2f}"
        rows.append((each.name, str(len(each.rows)), *said, f"{each.overlap:.0%}"))
    heads = ("photograph", "active channels", "KL of three", "their W1/spread, factor", "KL and W1", "KL and W1/spread")
    remarks = (
        f"Over {len(photographs)} photographs W1/spread of channels of like KL differs by a factor of "
        f"{np.median(factors):.1f} (median; {min(factors):.1f} to {max(factors):.1f}), and the rank correlation of KL "
        f"with it is {np.median(agreements):.2f} ({min(agreements):.2f} to {max(agreements):.2f}).",
    )
    caption = "The same of each: three channels by the same rule, rank correlations over all active ones."
    return Section("Every photograph", "", "", caption, Table("", (*heads, "in common"), tuple(rows), remarks=remarks))


def _agreement(photograph: Seen) -> tuple[float, float]:
    """Returns the rank correlation of KL with W1, and with W1/spread; 1 where there is one channel."""
    kls, w1s = [row.kl for row in photograph.rows], [row.w1 for row in photograph.rows]
    ratios = [row.relative for row in photograph.rows]
    if len(kls) < 2:
        return 1.0, 1.0
    return float(spearmanr(kls, w1s).statistic), float(spearmanr(kls, ratios).statistic)


def _csv(place: str, rows: Sequence[tuple[str, Distances]]) -> str:
    """Returns a line for each pair of samples."""
    heads = ["photograph"] * (place == "channel") + [place, "kl", "kl_higher_floor", "js", "w1", "spread"]
    return csv_text(heads, [
        {**({"photograph": name} if name else {}), place: row.place, "kl": row.kl, "kl_higher_floor": row.kl_higher,
         "js": row.js, "w1": row.w1, "spread": row.spread}
        for name, row in rows
    ])  # fmt: skip


def _data_uri(path: Path) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
