"""The planes of a page: which metrics stand against each other, and what is said beside each."""

from collections.abc import Sequence
from dataclasses import dataclass

from pdloss.charts import plane
from pdloss.charts.palette import RunStyle
from pdloss.charts.svg import Chart
from pdloss.comparison.grouping import Group
from pdloss.comparison.plane import Plane
from pdloss.report.headline import PERCEPTUAL, fidelity, perceptual
from pdloss.report.scores import digits_of
from pdloss.report.sources import Comparison
from pdloss.tables.numerals import four_figures, number


@dataclass(frozen=True)
class DrawnPlane:
    """A plane, its drawing, and what is said beside it."""

    groups: tuple[Group, ...]
    chart: Chart
    volumes: list[tuple[Group, str]]
    reference: str
    frontier: list[str]
    outside: str | None
    """The degraded input's scores, where it would lie far outside the drawing."""


def planes(comparison: Comparison, groups: Sequence[Group], styles: dict[int, RunStyle]) -> list[DrawnPlane]:
    """Returns PSNR against one metric of each perceptual kind that all runs have, the most telling first."""
    x = fidelity(comparison)
    if x is None:
        return []
    drawn = []
    for key in _one_of_each_kind(comparison):
        if (shown := drawing(comparison, x, key, groups)) is None:
            continue
        found = shown.plane
        corner = zip((found.x, found.y), found.reference, strict=True)
        drawn.append(
            DrawnPlane(
                shown.groups,
                plane.chart(shown, styles, f"plane-{plain(key)}"),
                plane.volumes(shown),
                " and ".join(f"{metric.label} {four_figures(value)}" for metric, value in corner),
                [comparison.runs[i].name for i in found.frontier()],
                None if shown.input is not None else input_text(comparison, x, key),
            )
        )
    return drawn


def drawing(comparison: Comparison, x: str, y: str, groups: Sequence[Group]) -> plane.Drawing | None:
    """Returns the plane of two metrics; none if a run lacks one of them, or is the only one."""
    means = [comparison.means(x), comparison.means(y)]
    points = [(a, b) for a, b in zip(*means, strict=True) if a is not None and b is not None]
    if len(points) < max(2, len(comparison.runs)):
        return None
    start = comparison.input_mean(x), comparison.input_mean(y)
    shown = start if start[0] is not None and start[1] is not None and not plane.dwarfs(start, points) else None
    names = tuple(run.name for run in comparison.runs)
    found = Plane(comparison.metric(x), comparison.metric(y), tuple(points))
    return plane.Drawing(found, names, tuple(groups), shown)  # type: ignore[arg-type]


def input_text(comparison: Comparison, x: str, y: str) -> str | None:
    """Returns the scores of the degraded input in words; none if it was not scored."""
    parts = []
    for key in (x, y):
        if (value := comparison.input_mean(key)) is None:
            return None
        parts.append(f"{comparison.metric(key).label} {number(value, digits_of(comparison, key))}")
    return " and ".join(parts)


def plain(key: str) -> str:
    """Returns a metric's name as part of an id and of a file's name."""
    return "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in key).strip("-")


def _one_of_each_kind(comparison: Comparison) -> list[str]:
    """Returns the metrics to draw; an unreliable FID gives way to KID."""
    keys = perceptual(comparison)
    firsts = [next((key for key in keys if key.startswith(kind)), None) for kind in PERCEPTUAL]
    kept = [key for key in firsts if key is not None]
    doubtful = [k for k in kept if any((s := comparison.of_set(run, k)) and s.note for run in comparison.runs)]
    return [key for key in kept if key not in doubtful or not any(k.startswith(("kid", "paired_kid")) for k in kept)]
