"""Runs by their loss: those that differ in nothing but the weights of its terms form one curve."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pdloss.comparison.grouping import SETTINGS, terms_of
from pdloss.report.inks import Ink
from pdloss.report.sources import Comparison

_OPTION = re.compile(r"(\w+)=('[^']*'|\[.*?\]|[^,]+)(?:, |$)")
_HARMLESS = {"seed"}
"""Settings that make another draw, not another loss."""


@dataclass(frozen=True)
class Family:
    """The runs of one loss, in the order of its weights."""

    name: str
    """The loss without its weights, options only where they differ from another loss of the comparison."""
    runs: tuple[int, ...]
    """Places in the comparison."""
    weights: tuple[str, ...]
    """For each run, the weights that vary between runs of this or of another loss."""
    origin: int | None = None
    """The run of another loss at which all these weights are zero."""

    @property
    def path(self) -> tuple[int, ...]:
        """The runs along the weights, from zero on if there is such a run."""
        return self.runs if self.origin is None else (self.origin, *self.runs)


def families(comparison: Comparison) -> list[Family]:
    """Returns the losses of the comparison, in the order in which they first occur."""
    settings = [s for s in SETTINGS if s not in _HARMLESS]
    terms = [terms_of(run.record.loss) for run in comparison.runs]
    groups: dict[tuple[frozenset[str], tuple[object, ...]], list[int]] = {}
    for index, run in enumerate(comparison.runs):
        key = frozenset(terms[index]), tuple(getattr(run.record, setting) for setting in settings)
        groups.setdefault(key, []).append(index)
    keys = list(groups)
    every = {term for names, _ in keys for term in names}
    differing = [i for i in range(len(settings)) if len({said[i] for _, said in keys}) > 1]
    short = [" + ".join(_short(term, every) for term in terms[groups[key][0]]) for key in keys]
    found = []
    for key, name in zip(keys, short, strict=True):
        members = groups[key]
        # Settings are said only where the words of the loss do not tell two families apart.
        if short.count(name) > 1:
            name = ", ".join([name, *(f"{settings[i]} {key[1][i]}" for i in differing)])
        fixed = [t for t in terms[members[0]] if t in _constant(terms, key[0])]
        ordered = sorted(members, key=lambda i: [terms[i][t] for t in terms[i] if t not in fixed])
        origins = [
            groups[other][0]
            for other in keys
            if other != key and other[1] == key[1] and other[0] < key[0] and len(groups[other]) == 1
        ]
        labels = tuple(" / ".join(f"{terms[i][t]:g}" for t in terms[i] if t not in fixed) for i in ordered)
        found.append(Family(name, tuple(ordered), labels, min(origins, default=None)))
    return found


def run_inks(found: Sequence[Family]) -> dict[int, Ink]:
    """Returns how each run is drawn, by its place in the comparison."""
    return {run: Ink(number, place) for number, family in enumerate(found) for place, run in enumerate(family.runs)}


def brief(loss: str, every: Sequence[str]) -> str:
    """Returns the loss with those options alone in which it differs from the others.

    Example:
        >>> brief("l1 + 0.002*pdl(features='vgg19.relu4_3', p=1)", ["l1"])
        'l1 + 0.002·pdl'
    """
    others = {term for other in (*every, loss) for term in terms_of(other)}
    weighted = terms_of(loss).items()
    return " + ".join(f"{'' if weight == 1 else f'{weight:g}·'}{_short(term, others)}" for term, weight in weighted)


def _constant(terms: Sequence[dict[str, float]], names: frozenset[str]) -> set[str]:
    """Returns the terms that have one weight in all runs, such as the 1 before the pixels' term."""
    return {t for t in names if len({weights[t] for weights in terms if t in weights}) == 1 and _shared(terms, t)}


def _shared(terms: Sequence[dict[str, float]], term: str) -> bool:
    return all(term in weights for weights in terms)


def _short(term: str, every: set[str]) -> str:
    """Returns the term with those options alone that another of its name has otherwise."""
    name = term.partition("(")[0]
    options = _options(term)
    namesakes = [_options(other) for other in every if other.partition("(")[0] == name]
    differing = [key for key, value in options.items() if any(o.get(key, value) != value for o in namesakes)]
    said = [_plain(key, options[key]) for key in differing]
    return f"{name}({', '.join(said)})" if said else name


def _plain(option: str, value: str) -> str:
    """Returns an option in few words: features and words by themselves, numbers with their name."""
    word = value.strip("'")
    return word if value != word else f"{option}={value}"


def _options(term: str) -> dict[str, str]:
    return dict(_OPTION.findall(term.partition("(")[2].removesuffix(")")))
