"""The page's colours in light and dark, and how runs are told apart: colour and mark by loss, dashes by weight."""

from collections.abc import Sequence
from dataclasses import dataclass

from pdloss.comparison.grouping import Group

LIGHT = {
    "paper": "#fcfcfa", "raised": "#f4f4f0", "ink": "#1b1d20", "muted": "#61656b", "faint": "#85898f",
    "rule": "#deded8", "accent": "#1f5fa8", "warm": "#fbf3df", "warm-rule": "#d9b65c",
    "s0": "#3c5fb0", "s1": "#bf5729", "s2": "#00511f", "s3": "#540565", "s4": "#b68c13", "s5": "#137d96",
    "s6": "#8c385b", "s7": "#8f938e",
}  # fmt: skip
"""By the names of the style sheet's variables; the series stay apart for colour-blind readers too."""

DARK = {
    "paper": "#141618", "raised": "#1c1f22", "ink": "#e8e8e4", "muted": "#a3a7ac", "faint": "#7d8186",
    "rule": "#303439", "accent": "#86b8f2", "warm": "#2a2415", "warm-rule": "#7d682f",
    "s0": "#6da7f9", "s1": "#cd6a14", "s2": "#9dfec5", "s3": "#9357df", "s4": "#e6bc0e", "s5": "#87d8f5",
    "s6": "#a6637e", "s7": "#a9a49a",
}  # fmt: skip

THEMES = {"light": LIGHT, "dark": DARK}
"""What a style sheet declares its variables from."""

SERIES_COLOURS = 8
"""How many series colours there are; further losses repeat them with other marks."""

_MARKS = "os^DvP*X"
_DASHES = ((0, ()), (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True)
class RunStyle:
    """How one run is drawn."""

    family: int
    """Place of its loss among the losses."""
    member: int = 0
    """Place of its weight among those of its loss."""

    @property
    def series(self) -> str:
        """The name of its colour."""
        return f"s{self.family % SERIES_COLOURS}"

    @property
    def mark(self) -> str:
        """Its mark in the plane, as matplotlib calls it."""
        # The second eight losses have the colours of the first, with the marks shifted.
        return _MARKS[(self.family + self.family // SERIES_COLOURS) % len(_MARKS)]

    @property
    def dash(self) -> tuple[int, tuple[float, ...]]:
        """Its line, as matplotlib calls it."""
        return _DASHES[(self.member + self.family // SERIES_COLOURS) % len(_DASHES)]


def run_styles(groups: Sequence[Group]) -> dict[int, RunStyle]:
    """Returns how each run is drawn, by its place in the comparison; seeds of one weight are drawn alike."""
    return {
        run: RunStyle(family, member)
        for family, group in enumerate(groups)
        for member, point in enumerate(group.points)
        for run in point.runs
    }


@dataclass(frozen=True)
class Colours:
    """What a drawing is coloured with: the real colours, or stand-ins that become variables of the page."""

    named: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.named[name]

    def of(self, style: RunStyle | None) -> str:
        """Returns the colour of a run; none is the degraded input."""
        return self.named["muted" if style is None else style.series]


STAND_INS = Colours({name: f"#0000{index:02x}" for index, name in enumerate(LIGHT, start=1)})
"""Colours that matplotlib accepts and no picture holds."""

PRINTED = Colours(LIGHT)
