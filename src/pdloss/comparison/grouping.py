"""Which runs form a sweep: those that differ in nothing but the weights of their loss's terms."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pdloss.comparison.scored import Scored, run_folder
from pdloss.errors import RunError
from pdloss.records import RunRecord, read_record

# What a sweep of weights leaves alone; runs that differ in one of these belong to different sweeps.
SETTINGS = (
    *("network", "steps", "batch", "crop", "lr", "schedule", "seed", "precision", "scales", "ema", "accumulate"),
    *("init", "degradation", "data_fingerprint"),
)

# " + " between the terms of a loss, not within a quoted word.
_BETWEEN_TERMS = re.compile(r" \+ (?=(?:[^']*'[^']*')*[^']*$)")
_OPTION = re.compile(r"(\w+)=('[^']*'|\[.*?\]|[^,]+)(?:, |$)")
_TERM = re.compile(r"(?:([\d.]+(?:e[+-]?\d+)?)\*)?(.*)", re.DOTALL)

_Key = tuple[frozenset[str], tuple[object, ...]]
"""The terms of a loss without their weights, and the settings of the training."""


@dataclass(frozen=True)
class Trained:
    """A scored run and what it was trained with."""

    scored: Scored
    record: RunRecord
    weights: dict[str, float]
    """By the text of the term."""


@dataclass(frozen=True)
class Group:
    """Runs of one sweep, in the order of their mean matched score."""

    name: str
    terms: tuple[str, ...]
    runs: tuple[Trained, ...]

    @property
    def run_names(self) -> list[str]:
        """The names of the runs."""
        return [run.scored.name for run in self.runs]

    @property
    def weights(self) -> list[list[float]]:
        """For each run, the weight of each term."""
        return [[run.weights.get(term, 0.0) for term in self.terms] for run in self.runs]

    def values(self, metric: str, images: Sequence[str]) -> Float[np.ndarray, "runs images"]:
        """Returns the scores of one metric, a row for each run."""
        return np.stack([run.scored.values(metric, images) for run in self.runs])

    def turns_back(self) -> bool:
        """Returns whether the score rises and falls again while the one weight that varies only grows."""
        varying = [column for column in zip(*self.weights, strict=True) if len(set(column)) > 1]
        return len(varying) == 1 and list(varying[0]) not in (sorted(varying[0]), sorted(varying[0], reverse=True))


def terms_of(loss: str) -> dict[str, float]:
    """Returns the weight of each term of a recorded loss, by the term's text.

    Example:
        >>> terms_of("l1 + 1e-05*pdl(features='vgg19.relu3_4+relu4_3', p=1)")
        {'l1': 1.0, "pdl(features='vgg19.relu3_4+relu4_3', p=1)": 1e-05}
    """
    weights: dict[str, float] = {}
    for term in _BETWEEN_TERMS.split(loss):
        if match := _TERM.fullmatch(term):
            weights[match[2]] = weights.get(match[2], 0.0) + float(match[1] or 1)
    return weights


def read_trained(scored: Scored) -> Trained:
    """Returns the run with the record of its training.

    Raises:
        RunError: If there is no ``config.json``.
    """
    path = run_folder(scored.file) / "config.json"
    if not path.is_file():
        raise RunError(f"{scored.file} has no config.json beside it, which tells the weights of its loss")
    record = read_record(path, RunRecord)
    return Trained(scored, record, terms_of(record.loss))


def grouped(runs: Sequence[Trained], matched: str, images: Sequence[str]) -> list[Group]:
    """Returns the sweeps that the runs form.

    Runs with the same settings and the same terms form one. Where there are several, a single run whose terms all of
    them share, such as plain ``l1``, is the end of each at weight zero.

    Args:
        runs: The runs.
        matched: The metric that orders the runs of a sweep.
        images: The images it is averaged over.

    Raises:
        RunError: If two runs differ in nothing, or there are fewer than two sweeps.
    """
    sweeps: dict[_Key, list[Trained]] = {}
    for run in runs:
        settings = tuple(getattr(run.record, setting) for setting in SETTINGS)
        sweep = sweeps.setdefault((frozenset(run.weights), settings), [])
        if twin := next((other for other in sweep if other.weights == run.weights), None):
            raise RunError(
                f"{twin.scored.name} and {run.scored.name} were trained alike, with the loss {run.record.loss!r}; "
                "give one of them"
            )
        sweep.append(run)
    terms = {key: tuple(group[0].weights) for key, group in sweeps.items()}
    _share_the_end(sweeps)
    if len(sweeps) < 2:
        raise RunError(
            f"the runs form one sweep, of {' + '.join(terms[next(iter(sweeps))])}; a matched comparison needs the "
            "runs of two losses, or of two settings"
        )

    def level(run: Trained) -> float:
        return float(run.scored.values(matched, images).mean())

    names = _names([(terms[key], key[1]) for key in sweeps])
    return [
        Group(name, terms[key], tuple(sorted(group, key=level)))
        for name, (key, group) in zip(names, sweeps.items(), strict=True)
    ]


def _share_the_end(sweeps: dict[_Key, list[Trained]]) -> None:
    """Makes a single run whose terms all other sweeps hold their end at weight zero, if two of them remain."""
    for key, group in sweeps.items():
        others = [other for other in sweeps if other != key]
        alike = [other for other in others if other[1] == key[1]]
        if len(group) == 1 and len(others) >= 2 and alike and all(key[0] < other[0] for other in others):
            for other in alike:
                sweeps[other].append(group[0])
            del sweeps[key]
            return


def _names(sweeps: Sequence[tuple[tuple[str, ...], tuple[object, ...]]]) -> list[str]:
    """Returns the names of the terms, with the options and the settings that differ between the sweeps."""
    differing = [i for i in range(len(SETTINGS)) if len({settings[i] for _, settings in sweeps}) > 1]
    every = {term for terms, _ in sweeps for term in terms}
    short = {terms: " + ".join(_short(term, every) for term in terms) for terms, _ in sweeps}
    unique = len(set(short.values())) == len(short)
    return [
        ", ".join([short[terms] if unique else " + ".join(terms), *(f"{SETTINGS[i]} {said[i]}" for i in differing)])
        for terms, said in sweeps
    ]


def _short(term: str, every: set[str]) -> str:
    """Returns the term with those options alone that another of its name has otherwise."""
    name, options = term.partition("(")[0], _options(term)
    namesakes = [_options(other) for other in every if other.partition("(")[0] == name]
    said = [f"{key}={value}" for key, value in options.items() if any(o.get(key) != value for o in namesakes)]
    return f"{name}({', '.join(said)})" if said else name


def _options(term: str) -> dict[str, str]:
    return dict(_OPTION.findall(term.partition("(")[2].removesuffix(")")))
