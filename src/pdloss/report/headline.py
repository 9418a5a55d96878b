"""The one sentence: which run is best at what, by how much, and how sure that is."""

from collections.abc import Iterable, Sequence

import numpy as np

from pdloss.comparison import Difference
from pdloss.comparison.losses import brief
from pdloss.comparison.paired import without_equal
from pdloss.records import equal_pairs
from pdloss.report.scores import (
    WORDS,
    best_run,
    digits_of,
    gap,
    tied_with,
    with_unit,
)
from pdloss.report.sources import Comparison
from pdloss.tables.numerals import UNKNOWN, between, cost, equal_text, number

PERCEPTUAL = ("lpips", "dists", "niqe", "fid", "paired_kid", "kid", "swd")
"""Metrics of how a picture looks, by the beginnings of their names, the one to lead with first."""

_UNMEASURED = (
    "How the pictures look was not measured, and PSNR alone rewards blur: `pdloss assets get lpips-alex "
    "alexnet-torchvision` brings the weights of LPIPS, then evaluate again with `--metrics psnr,ms_ssim,lpips`."
)


def fidelity(comparison: Comparison) -> str | None:
    """Returns the key of PSNR, options in its name included; none if it is absent."""
    return _named(comparison.metrics, "psnr")


def perception(comparison: Comparison) -> str | None:
    """Returns the perceptual metric of images to judge by: LPIPS if it is there, else DISTS or NIQE."""
    return next((key for name in PERCEPTUAL if (key := _named(comparison.metrics, name))), None)


def perceptual(comparison: Comparison) -> list[str]:
    """Returns every perceptual metric, of images and of the set."""
    keys = (*comparison.metrics, *comparison.set_metrics)
    return [key for name in PERCEPTUAL for key in keys if key.startswith(name)]


def contest(comparison: Comparison) -> tuple[str, int, int] | None:
    """Returns what the crops and the scatter show: a metric, the run it is best in, and the run to compare with.

    The metric is the perceptual one, or else the first; the run to compare with is the one with the best PSNR, or the
    first of the others. None of a single run.
    """
    if len(comparison.runs) < 2:
        return None
    key = perception(comparison) or next(iter(comparison.metrics))
    best, plain = best_run(comparison, key), fidelity(comparison)
    faithful = best_run(comparison, plain) if plain else 0
    return key, best, faithful if faithful != best else int(best == 0)


def headline(comparison: Comparison) -> list[str]:
    """Returns the sentences that begin the page."""
    shown, plain = perception(comparison), fidelity(comparison)
    if len(comparison.runs) == 1:
        said = [_gains(comparison, [key for key in (plain, shown) if key] or [*comparison.metrics][:2])]
    elif shown is None:
        said = [_lead(comparison, plain or next(iter(comparison.metrics)))]
    elif plain is None:
        said = [_lead(comparison, shown)]
    else:
        said = _trade(comparison, plain, shown)
    return [*said, *_budget(comparison), *([] if perceptual(comparison) else [_UNMEASURED])]


def called(comparison: Comparison, run: int) -> str:
    """Returns a run's name, and its loss where the name does not tell it."""
    name = comparison.runs[run].name
    loss = brief(comparison.runs[run].loss, [other.loss for other in comparison.runs])
    return name if loss in (name, UNKNOWN) else f"{name} ({loss})"


def _budget(comparison: Comparison) -> list[str]:
    """Returns for which training what was said holds; nothing of a single run, which is compared with no other."""
    records = [run.record for run in comparison.runs if run.record is not None]
    if len(comparison.runs) < 2 or not records:
        return []
    networks = _either(record.network for record in records)
    length = _either(f"{r.steps:,} steps of {r.batch} crops of {r.crop} pixels" for r in records)
    start = _either("fresh weights" if record.init is None else record.init for record in records)
    unknown = len(records) < len(comparison.runs)
    others = "; how the others were trained is not recorded" if unknown else ""
    return [
        f"This is of {networks}, trained for {length} from {start}, on {comparison.set}{others}: another network, "
        "length or start may rank the losses otherwise."
    ]


def _either(texts: Iterable[str]) -> str:
    """Returns the one text, or the first and how many others there are.

    Example:
        >>> _either(["a", "a"]), _either(["a", "b"]), _either(["a", "b", "c"])
        ('a', 'a or b', 'a or 2 others')
    """
    found = list(dict.fromkeys(texts))
    return " or ".join(found) if len(found) < 3 else f"{found[0]} or {len(found) - 1} others"


def _trade(comparison: Comparison, plain: str, shown: str) -> list[str]:
    """Returns what the best perception costs in fidelity."""
    seen, faithful = best_run(comparison, shown), best_run(comparison, plain)
    if seen == faithful:
        return [_lead(comparison, shown), _lead(comparison, plain, again=True)]
    less, paid = (gap(comparison, key, seen, faithful) for key in (shown, plain))
    better, metric = comparison.metrics[shown].better, comparison.metrics[shown]
    side = "above" if better == "higher" else "below" if better == "lower" else "nearer to zero than"
    first = (
        f"{called(comparison, seen)} has the {_extreme(comparison, shown, seen)}: {_amount(comparison, shown, less)} "
        f"{side} {called(comparison, faithful)}, the run with the {_extreme(comparison, plain, faithful)}"
    )
    if not less.clear:
        first += f", a difference in {metric.label} that {_doubt(comparison)}"
    tied = _ties(comparison, shown, seen, plain)
    second = f"{comparison.runs[seen].name} pays" if tied else "It pays"
    second += f" {_amount(comparison, plain, paid)} of {comparison.metrics[plain].label} for that"
    if not paid.clear:
        second += f", which {_doubt(comparison)}"
    return [first + ".", *tied, second + "."]


def _lead(comparison: Comparison, key: str, again: bool = False) -> str:
    """Returns which run is best in one metric, and by how much it leads the next one."""
    best, metric = best_run(comparison, key), comparison.metrics[key]
    others = [i for i in range(len(comparison.runs)) if i != best]
    next_best = min(others, key=lambda i: abs(gap(comparison, key, i, best).value))
    lead = gap(comparison, key, best, next_best)
    whom = "It also has" if again else f"{called(comparison, best)} has"
    tied = tied_with(comparison, key, best)
    if tied:
        return f"{whom} the {_extreme(comparison, key, best)}, but {_cannot(comparison, metric.label, tied)}."
    side = "above" if metric.better == "higher" else "below" if metric.better == "lower" else "nearer to zero than"
    return (
        f"{whom} the {_extreme(comparison, key, best)}, {_amount(comparison, key, lead)} {side} the next, "
        f"{called(comparison, next_best)}."
    )


def _ties(comparison: Comparison, key: str, best: int, plain: str) -> list[str]:
    """Returns which runs are as good as the best, and which of them all pays least for it; nothing without any."""
    tied = tied_with(comparison, key, best)
    if not tied:
        return []
    means = comparison.means(plain)
    found = [(cost(mean, comparison.metrics[plain]), i) for i in (best, *tied) if (mean := means[i]) is not None]
    cheapest = min(found)[1]
    return [
        f"In {comparison.metrics[key].label} {_cannot(comparison, 'it', tied, best)}; of these, "
        f"{called(comparison, cheapest)} has the {_extreme(comparison, plain, cheapest)}."
    ]


def _cannot(comparison: Comparison, what: str, tied: Sequence[int], best: int | None = None) -> str:
    names = [comparison.runs[i].name for i in tied]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    if len(names) > 3:
        listed = f"{names[0]} and {len(names) - 1} others"
    if best is None:
        return f"these images do not tell it apart from {listed} in {what}"
    return f"these {len(comparison.images)} images do not tell {what} apart from {listed}"


def _doubt(comparison: Comparison) -> str:
    count = len(comparison.images)
    return f"{count} images do not tell from chance" if count > 1 else "one image cannot tell from chance"


def _extreme(comparison: Comparison, key: str, run: int) -> str:
    metric = comparison.metrics[key]
    mean = comparison.means(key)[run]
    assert mean is not None
    shown = with_unit(number(mean, digits := digits_of(comparison, key)), metric)
    values = comparison.restored(comparison.runs[run], key)
    count, without = without_equal(values, np.array(equal_pairs(metric, values.tolist()), dtype=bool))
    shown += f", {equal_text(count, without, digits)}" if count else ""
    if metric.better == "zero":
        return f"{metric.label} {WORDS[metric.better]} ({shown})"
    return f"{WORDS[metric.better]} {metric.label} ({shown})"


def _amount(comparison: Comparison, key: str, found: Difference) -> str:
    digits, metric = digits_of(comparison, key), comparison.metrics[key]
    low, high = found.low, found.high
    if found.value < 0 and low is not None and high is not None:
        low, high = -high, -low
    brackets = between(low, high, digits)
    return with_unit(number(abs(found.value), digits), metric) + (f" {brackets}" if brackets else "")


def _gains(comparison: Comparison, keys: Sequence[str]) -> str:
    """Returns "X takes PSNR from 20.1 to 30.2 dB and LPIPS to 0.12"."""
    parts = []
    for key in keys:
        metric, digits = comparison.metrics[key], digits_of(comparison, key)
        before, after = comparison.degraded(key), float(comparison.restored(comparison.runs[0], key).mean())
        start = "" if before is None else f" from {number(float(before.mean()), digits)}"
        parts.append(f"{metric.label}{start} to {with_unit(number(after, digits), metric)}")
    images = f"the {len(comparison.images)} images" if len(comparison.images) > 1 else "the one image"
    return f"{comparison.runs[0].name} takes {' and '.join(parts)} on average over {images}."


def _named(keys: Iterable[str], name: str) -> str | None:
    """Returns the metric of this name, options or not; else one whose name begins so, such as ``lpips_vgg``."""
    found = [key for key in keys if key.partition("(")[0].split("_")[0] == name]
    return min(found, key=lambda key: "_" in key.partition("(")[0], default=None)
