"""Which drawings a comparison has: planes, training curves, gradient shares, intervals, and images as points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pdloss.comparison.grouping import Group
from pdloss.records import LogLine
from pdloss.report import curves, differences, plane
from pdloss.report.headline import PERCEPTUAL, contest, fidelity, perceptual
from pdloss.report.palette import Ink
from pdloss.report.sources import Comparison, ScoredRun
from pdloss.report.svg import Chart

_Value = Callable[[LogLine], float | None]


@dataclass(frozen=True)
class Panel:
    """A chart with the words above it."""

    title: str
    subtitle: str
    chart: Chart


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


def planes(comparison: Comparison, groups: Sequence[Group], inks: dict[int, Ink]) -> list[DrawnPlane]:
    """Returns PSNR against one metric of each perceptual kind that all runs have, the most telling first."""
    x = fidelity(comparison)
    if x is None:
        return []
    drawn = []
    for key in _one_of_each_kind(comparison):
        if (shown := plane.drawing(comparison, x, key, groups)) is None:
            continue
        found = shown.plane
        corner = [f"{m.label} {value:.4g}" for m, value in zip((found.x, found.y), found.reference, strict=True)]
        drawn.append(
            DrawnPlane(
                shown.groups,
                plane.chart(shown, inks, comparison, f"plane-{_plain(key)}"),
                plane.volumes(shown),
                " and ".join(corner),
                [comparison.runs[i].name for i in found.frontier()],
                None if shown.input is not None else plane.input_text(comparison, x, key),
            )
        )
    return drawn


def training(comparison: Comparison, inks: dict[int, Ink]) -> list[Panel]:
    """Returns a panel per loss term, per term's gradient norm, per critic, per score of validation, and for the data.

    Gradient norms are drawn as curves where there is one term, and as shares where there are several.
    """
    logged = [(run, inks[i]) for i, run in enumerate(comparison.runs) if run.log]
    wanted: list[tuple[str, str, _Value, bool, bool]] = [
        *((t, "value, before its weight", lambda line, t=t: line.terms.get(t), True, True)
          for t in _names(logged, "terms")),
        *((t, "norm of its weighted gradient", lambda line, t=t: line.gradients.get(t), True, True)
          for t in _names(logged, "gradients")),
        *((t, "its critic's own loss", lambda line, t=t: line.learners.get(t), False, True)
          for t in _names(logged, "learners")),
        *((t, "on the validation photographs", lambda line, t=t: line.valid.get(t), False, False)
          for t in _names(logged, "valid")),
        ("learning rate", "", lambda line: line.lr, False, True),
    ]  # fmt: skip
    if any(line.waiting for run, _ in logged for line in run.log):
        wanted.append(("waiting for data", "percent of the time", lambda line: 100 * line.waiting, False, True))
    panels = []
    for number, (title, subtitle, value, logarithmic, smooth) in enumerate(wanted):
        drawn = [curve for run, ink in logged if (curve := _curve(run, ink, value))]
        if drawn:
            said = f"{title} {subtitle}".strip()
            chart = curves.curves_chart(f"training-{number}", said, drawn, logarithmic, smooth)
            panels.append(Panel(title, subtitle, chart))
    return panels


def shares(comparison: Comparison, inks: dict[int, Ink]) -> list[Panel]:
    """Returns for each run with several terms how the gradient is shared among them."""
    panels = []
    for i, run in enumerate(comparison.runs):
        terms = list(dict.fromkeys(term for line in run.log for term in line.gradients))
        lines = [line for line in run.log if line.gradients]
        if len(terms) < 2:
            continue
        steps = np.array([line.step for line in lines], dtype=float)
        norms = {term: [line.gradients.get(term, 0.0) for line in lines] for term in terms}
        chart = curves.shares_chart(f"shares-{i}", f"Gradient shares of {run.name}", steps, norms, inks[i])
        panels.append(Panel(run.name, "", chart))
    return panels


def intervals(comparison: Comparison, inks: dict[int, Ink]) -> list[Chart]:
    """Returns per metric the other runs' differences from the first, with their intervals."""
    if len(comparison.runs) < 2:
        return []
    return [
        differences.intervals_chart(comparison, key, inks, f"difference-{_plain(key)}") for key in comparison.metrics
    ]


def scatters(comparison: Comparison, inks: dict[int, Ink]) -> list[Chart]:
    """Returns per metric the image-by-image scores of the two runs that the contest is about."""
    if (found := contest(comparison)) is None:
        return []
    _, run, against = found
    return [
        differences.scatter_chart(comparison, key, (against, run), inks[run], f"images-{_plain(key)}")
        for key in comparison.metrics
    ]


def _one_of_each_kind(comparison: Comparison) -> list[str]:
    """Returns the metrics to draw; an unreliable FID gives way to KID."""
    keys = perceptual(comparison)
    firsts = [next((key for key in keys if key.startswith(kind)), None) for kind in PERCEPTUAL]
    kept = [key for key in firsts if key is not None]
    doubtful = [k for k in kept if any((s := comparison.of_set(run, k)) and s.note for run in comparison.runs)]
    return [key for key in kept if key not in doubtful or not any(k.startswith(("kid", "paired_kid")) for k in kept)]


def _names(logged: Sequence[tuple[ScoredRun, Ink]], field: str) -> list[str]:
    return list(dict.fromkeys(name for run, _ in logged for line in run.log for name in getattr(line, field)))


def _curve(run: ScoredRun, ink: Ink, value: _Value) -> curves.Curve | None:
    points = [(line.step, v) for line in run.log if (v := value(line)) is not None]
    if not points:
        return None
    steps, values = np.array(points, dtype=float).T
    return curves.Curve(run.name, ink, steps, values)


def _plain(key: str) -> str:
    """Returns a metric's name as part of an id and of a file's name."""
    return "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in key).strip("-")
