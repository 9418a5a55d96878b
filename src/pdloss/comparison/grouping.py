"""Sweeps: results that differ in nothing but the weights of their loss's terms, and in the seed.

The one definition, which comparisons at equal fidelity and the report's curves share:

* The loss is read by `pdloss.specs`: two terms are the same where their names and options are.
* Every setting of the training must be equal, the seed aside: results of one weight and several seeds are one point.
* Of results whose training is not recorded, such as other people's, those whose stated losses differ in the weights
  alone form a sweep; where two of them state the same, nothing tells what else differs, and each stands alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pdloss.comparison.losses import readable, short
from pdloss.records import RunRecord
from pdloss.specs import Call, value_text
from pdloss.tables.numerals import UNKNOWN

# What a sweep of weights leaves alone; results that differ in one of these belong to different sweeps.
SETTINGS = (
    *("network", "steps", "batch", "crop", "lr", "schedule", "precision", "scales", "ema", "accumulate"),
    *("init", "degradation", "data_fingerprint"),
)

Settings = tuple[object, ...]


@dataclass(frozen=True)
class Trained:
    """What is known of how a result came about."""

    name: str
    loss: str | None
    """None where it is not known."""
    record: RunRecord | None = None
    """Of the training; None of other people's results."""

    @property
    def settings(self) -> Settings | None:
        """The values of `SETTINGS`."""
        return None if self.record is None else tuple(getattr(self.record, setting) for setting in SETTINGS)


@dataclass(frozen=True)
class Point:
    """The results of one weight: one, or one for each seed."""

    weights: tuple[float, ...]
    """Of each term of the sweep; 0 for one that the loss lacks."""
    runs: tuple[int, ...]
    """Places among the results."""


@dataclass(frozen=True)
class Group:
    """One sweep, its points in the order of the weights."""

    parts: tuple[str, ...]
    """The terms in few words."""
    terms: tuple[Call, ...]
    points: tuple[Point, ...]
    labels: tuple[str, ...]
    """Of each point, the weights that vary between results of this or of another sweep."""
    settings: Settings | None
    said: str = ""
    """The settings that differ between sweeps."""
    origin: Point | None = None
    """The point of another sweep at which all weights that this one adds are zero."""

    @property
    def name(self) -> str:
        """The loss without its weights, options only where they differ from another sweep's."""
        return " + ".join(self.parts) + self.said

    @property
    def path(self) -> tuple[Point, ...]:
        """The points along the weights, from zero on if there is such a result."""
        return self.points if self.origin is None else (self.origin, *self.points)

    @property
    def runs(self) -> tuple[int, ...]:
        """The places of the results, along the weights."""
        return tuple(run for point in self.points for run in point.runs)


def sweeps(results: Sequence[Trained]) -> list[Group]:
    """Returns the sweeps that the results form, in the order in which they first occur."""
    losses = [readable(result.loss) for result in results]
    members: dict[object, list[int]] = {}
    for place in range(len(results)):
        members.setdefault(_key(results, losses, place), []).append(place)
    every = {term for loss in losses for term in loss or ()}
    common = {t for t in every if len({loss.get(t) for loss in losses if loss is not None}) == 1}
    groups = [_group(places, results, losses, every, common) for places in members.values()]
    return _with_origins(_told_apart(groups))


def _key(results: Sequence[Trained], losses: Sequence[dict[Call, float] | None], place: int) -> object:
    loss, settings = losses[place], results[place].settings
    if loss is None:
        return place
    if settings is not None:
        return frozenset(loss), settings
    others = [other for result, other in zip(results, losses, strict=True) if result.record is None]
    alike = [other for other in others if other is not None and other.keys() == loss.keys()]
    return place if any(alike.count(other) > 1 for other in alike) else (frozenset(loss), None)


def _group(
    places: Sequence[int],
    results: Sequence[Trained],
    losses: Sequence[dict[Call, float] | None],
    every: set[Call],
    common: set[Call],
) -> Group:
    first = losses[places[0]]
    if first is None:
        return Group((results[places[0]].name,), (), (Point((), (places[0],)),), ("",), results[places[0]].settings)
    terms = tuple(first)

    def weights(place: int) -> tuple[float, ...]:
        loss = losses[place]
        assert loss is not None
        return tuple(loss[term] for term in terms)

    varying = [i for i, term in enumerate(terms) if term not in common]
    ordered = sorted(places, key=lambda place: [weights(place)[i] for i in varying])
    points = tuple(Point(found, tuple(same)) for found, same in groupby(ordered, key=weights))
    labels = tuple(" / ".join(value_text(point.weights[i]) for i in varying) for point in points)
    settings = results[places[0]].settings
    if settings is None and len(places) == 1:
        return Group((results[places[0]].name,), terms, points, labels, None)
    return Group(tuple(short(term, every) for term in terms), terms, points, labels, settings)


def _told_apart(groups: Sequence[Group]) -> list[Group]:
    """Returns the groups with the settings that differ said, and with all options where few do not tell them apart."""
    known = [group.settings for group in groups if group.settings is not None]
    differing = [i for i in range(len(SETTINGS)) if len({settings[i] for settings in known}) > 1]
    said = [replace(group, said=_said(group, differing, bool(known))) for group in groups]
    names = [group.name for group in said]
    return [
        replace(group, parts=tuple(map(str, group.terms))) if names.count(group.name) > 1 and group.terms else group
        for group in said
    ]


def _said(group: Group, differing: Sequence[int], some_known: bool) -> str:
    if group.settings is None:
        several = some_known and len(group.points) > 1
        return f", settings {UNKNOWN}" if several else ""
    values = [(SETTINGS[i], group.settings[i]) for i in differing]
    return "".join(
        f", data {str(value)[:12]}" if setting == "data_fingerprint" else f", {setting} {value}"
        for setting, value in values
    )


def _with_origins(groups: Sequence[Group]) -> list[Group]:
    def origin(group: Group) -> Point | None:
        found = [
            other.points[0]
            for other in groups
            if len(other.points) == 1
            and other.settings is not None
            and other.settings == group.settings
            and other.terms
            and set(other.terms) < set(group.terms)
        ]
        return min(found, key=lambda point: point.runs, default=None)

    return [replace(group, origin=origin(group)) for group in groups]
